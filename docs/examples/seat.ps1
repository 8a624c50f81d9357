<#
A seat with PowerShell 7: opens a session, keeps it with heartbeats, gives it back; says why when there is none.

    ./seat.ps1 PRODUCT [SECONDS]

NOT RUN: this example is not run by the tests of Leasehold, unlike those for curl, Python and C.
Ends with 1 when the seat was refused, 3 when it was lost. The agent: port 1947, or LEASEHOLD_NETWORK_PORT.
#>
param([Parameter(Mandatory)] [string] $Product, [double] $Seconds = 60)
$ErrorActionPreference = 'Stop'

$port = if ($env:LEASEHOLD_NETWORK_PORT) { $env:LEASEHOLD_NETWORK_PORT } else { '1947' }
$sessions = "http://127.0.0.1:$port/api/v1/sessions"

# One call, repeated while its answer is lost; with the same headers, so that it never takes a second seat.
# Answers with Status (0: nobody answered) and Body.
function Invoke-Agent([string] $Method, [string] $Uri, [hashtable] $Headers, $Body) {
    $call = @{
        Method = $Method; Uri = $Uri; Headers = $Headers; ContentType = 'application/json'
        TimeoutSec = 20; NoProxy = $true; SkipHttpErrorCheck = $true
    }
    if ($null -ne $Body) { $call.Body = ConvertTo-Json -Compress -Depth 4 $Body }
    for ($left = 4; ; $left--) {
        try {
            $answer = Invoke-WebRequest @call
            # A problem document is not text to PowerShell: its content is bytes.
            $text = if ($answer.Content -is [byte[]]) { [Text.Encoding]::UTF8.GetString($answer.Content) } else { $answer.Content }
            $read = if ($text) { ConvertFrom-Json $text } else { $null }
            if ($left -eq 0 -or $read.code -ne 'store_unavailable') {
                return @{ Status = [int] $answer.StatusCode; Body = $read }
            }
        }
        catch {
            if ($left -eq 0) { return @{ Status = 0; Body = @{ detail = $_.Exception.Message; code = 'no_answer' } } }
        }
        Start-Sleep -Seconds 1
    }
}

$wanted = @{
    product = $Product
    user    = @{ account = [Environment]::UserName }
    host    = [Environment]::MachineName
    # The agent frees the seat within seconds when this process is gone.
    process = @{ id = $PID; name = 'seat.ps1' }
}
$opened = Invoke-Agent POST $sessions @{ 'Idempotency-Key' = [guid]::NewGuid().ToString('N') } $wanted
if ($opened.Status -notin 200, 201) {
    [Console]::Error.WriteLine("No seat: $($opened.Body.detail) ($($opened.Body.code))")
    exit 1
}

$kept = $opened.Body
$session = "$sessions/$($kept.id)"
$headers = @{ 'Session-Key' = $kept.key }
"A seat of $($kept.product) for $($kept.expiresIn) s."
try {
    $watch = [Diagnostics.Stopwatch]::StartNew()
    while ($watch.Elapsed.TotalSeconds + $kept.renewIn -lt $Seconds) {
        Start-Sleep -Seconds $kept.renewIn
        $answer = Invoke-Agent PUT $session $headers @{}
        if ($answer.Status -ne 200) {
            [Console]::Error.WriteLine("The seat is lost: $($answer.Body.detail) ($($answer.Body.code))")
            exit 3
        }
        $kept = $answer.Body
        "Kept for $($kept.expiresIn) s."
    }
    Start-Sleep -Seconds ([Math]::Max(0, $Seconds - $watch.Elapsed.TotalSeconds))
}
finally {
    $null = Invoke-Agent DELETE $session $headers $null
}
'Given back.'

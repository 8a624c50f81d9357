// A seat with C# (.NET 8 or later): opens a session, keeps it with heartbeats, gives it back; says why when there is none.
//
//   dotnet new console -o seat && cp seat.cs seat/Program.cs && dotnet run --project seat -- PRODUCT [SECONDS]
//
// NOT RUN: this example is not run by the tests of Leasehold, unlike those for curl, Python and C.
// Ends with 1 when the seat was refused, 3 when it was lost. The agent: port 1947, or LEASEHOLD_NETWORK_PORT.
using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json;

if (args.Length < 1)
{
    Console.Error.WriteLine("usage: seat PRODUCT [SECONDS]");
    return 2;
}
var seconds = args.Length > 1 ? double.Parse(args[1]) : 60;
var port = Environment.GetEnvironmentVariable("LEASEHOLD_NETWORK_PORT") ?? "1947";
var sessions = $"http://127.0.0.1:{port}/api/v1/sessions";
// No proxy: the agent is on this machine.
using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { Timeout = TimeSpan.FromSeconds(20) };

// One call, repeated while its answer is lost; with the same header, so that it never takes a second seat.
async Task<(int Status, JsonElement Body)> Call(HttpMethod method, string address, string header, string value, object? body)
{
    for (var left = 4; ; left--)
    {
        try
        {
            using var request = new HttpRequestMessage(method, address);
            request.Headers.Add(header, value);
            if (body != null) request.Content = JsonContent.Create(body);
            using var answer = await client.SendAsync(request);
            var text = await answer.Content.ReadAsStringAsync();
            var read = text.Length == 0 ? default : JsonDocument.Parse(text).RootElement.Clone();
            if (left == 0 || Text(read, "code") != "store_unavailable") return ((int)answer.StatusCode, read);
        }
        catch (Exception error) when (left > 0 && error is HttpRequestException or TaskCanceledException)
        {
            // Nobody answers, or the answer was lost.
        }
        await Task.Delay(1000);
    }
}

static string Text(JsonElement body, string name) =>
    body.ValueKind == JsonValueKind.Object && body.TryGetProperty(name, out var value) ? value.ToString() : "";

var wanted = new
{
    product = args[0],
    user = new { account = Environment.UserName },
    host = Environment.MachineName,
    // The agent frees the seat within seconds when this process is gone.
    process = new { id = Environment.ProcessId, name = "seat" },
};

(int Status, JsonElement Body) opened;
try
{
    opened = await Call(HttpMethod.Post, sessions, "Idempotency-Key", Guid.NewGuid().ToString("N"), wanted);
}
catch (Exception error) when (error is HttpRequestException or TaskCanceledException)
{
    Console.Error.WriteLine($"No Leasehold agent answers at {sessions}: {error.Message}");
    return 1;
}
if (opened.Status is not (200 or 201))
{
    Console.Error.WriteLine($"No seat: {Text(opened.Body, "detail")} ({Text(opened.Body, "code")})");
    return 1;
}

var session = $"{sessions}/{Text(opened.Body, "id")}";
var key = Text(opened.Body, "key");
var kept = opened.Body;
Console.WriteLine($"A seat of {Text(kept, "product")} for {Text(kept, "expiresIn")} s.");
try
{
    var watch = Stopwatch.StartNew();
    for (var renew = kept.GetProperty("renewIn").GetDouble(); watch.Elapsed.TotalSeconds + renew < seconds;
         renew = kept.GetProperty("renewIn").GetDouble())
    {
        await Task.Delay(TimeSpan.FromSeconds(renew));
        (var status, kept) = await Call(HttpMethod.Put, session, "Session-Key", key, new { });
        if (status != 200)
        {
            Console.Error.WriteLine($"The seat is lost: {Text(kept, "detail")} ({Text(kept, "code")})");
            return 3;
        }
        Console.WriteLine($"Kept for {Text(kept, "expiresIn")} s.");
    }
    await Task.Delay(TimeSpan.FromSeconds(Math.Max(0, seconds - watch.Elapsed.TotalSeconds)));
}
catch (Exception error) when (error is HttpRequestException or TaskCanceledException)
{
    Console.Error.WriteLine($"The seat is lost: {error.Message}");
    return 3;
}
finally
{
    // Where the agent can't be told, it takes the seat back by itself.
    try { await Call(HttpMethod.Delete, session, "Session-Key", key, null); }
    catch (Exception error) when (error is HttpRequestException or TaskCanceledException) { }
}
Console.WriteLine("Given back.");
return 0;

/*
 * A seat with C and libcurl: opens a session, keeps it with heartbeats, gives it back; says why when there is none.
 *
 *   cc -o seat seat.c -lcurl
 *   ./seat PRODUCT [SECONDS]
 *
 * Ends with 1 when the seat was refused, 3 when it was lost. The agent: port 1947, or LEASEHOLD_NETWORK_PORT.
 * To stay small it finds members of an answer by their names; a real program has a JSON library.
 */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define ATTEMPTS 5

static char address[256];

struct answer {
  long status; /* 0: nobody answered */
  size_t length;
  char text[65536];
};

static size_t take(char *piece, size_t size, size_t count, void *to) {
  struct answer *answer = to;
  size_t length = size * count;
  if (length >= sizeof answer->text - answer->length) return 0; /* too long: the call fails */
  memcpy(answer->text + answer->length, piece, length);
  answer->length += length;
  answer->text[answer->length] = '\0';
  return length;
}

/* The value of the first member of this name, without quotes; "" when there is none. */
static const char *member(const struct answer *answer, const char *name, char *value, size_t size) {
  char pattern[64];
  value[0] = '\0';
  snprintf(pattern, sizeof pattern, "\"%s\":", name);
  const char *at = strstr(answer->text, pattern);
  if (at == NULL) return value;
  at += strlen(pattern);
  const int quoted = *at == '"';
  if (quoted) at++;
  const size_t length = strcspn(at, quoted ? "\"" : ",}");
  snprintf(value, size, "%.*s", (int)length, at);
  return value;
}

static long number(const struct answer *answer, const char *name) {
  char value[32];
  return atol(member(answer, name, value, sizeof value));
}

/* One call, repeated while its answer is lost; with the same header, so that it never takes a second seat. */
static void call(const char *method, const char *where, const char *header, const char *body, struct answer *answer) {
  for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
    if (attempt > 0) sleep(1);
    CURL *curl = curl_easy_init();
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
    headers = curl_slist_append(headers, header);
    answer->status = 0;
    answer->length = 0;
    answer->text[0] = '\0';
    curl_easy_setopt(curl, CURLOPT_URL, where);
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, 20L);
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    if (body != NULL) curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, answer);
    const CURLcode code = curl_easy_perform(curl);
    if (code == CURLE_OK) curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer->status);
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
    if (answer->status != 0 && strstr(answer->text, "\"store_unavailable\"") == NULL) return;
  }
}

static void say_why(const char *what, const struct answer *answer) {
  char detail[1024], code[64];
  if (answer->status == 0) fprintf(stderr, "%s: no Leasehold agent answers at %s.\n", what, address);
  else
    fprintf(stderr, "%s: %s (%s)\n", what, member(answer, "detail", detail, sizeof detail),
            member(answer, "code", code, sizeof code));
}

int main(int count, char **arguments) {
  if (count < 2 || strpbrk(arguments[1], "\"\\") != NULL) {
    fprintf(stderr, "usage: seat PRODUCT [SECONDS]\n");
    return 2;
  }
  const time_t seconds = count > 2 ? atol(arguments[2]) : 60;
  const char *port = getenv("LEASEHOLD_NETWORK_PORT");
  snprintf(address, sizeof address, "http://127.0.0.1:%s/api/v1/sessions", port != NULL ? port : "1947");
  curl_global_init(CURL_GLOBAL_DEFAULT);

  unsigned char random[16];
  char idempotency[64] = "Idempotency-Key: ";
  FILE *source = fopen("/dev/urandom", "rb");
  if (source == NULL || fread(random, 1, sizeof random, source) != sizeof random) return 2;
  fclose(source);
  for (size_t at = 0; at < sizeof random; at++) sprintf(idempotency + strlen(idempotency), "%02x", random[at]);

  /* The agent frees the seat within seconds when this process is gone. */
  char host[256] = "", body[1024];
  gethostname(host, sizeof host - 1);
  snprintf(body, sizeof body,
           "{\"product\":\"%s\",\"host\":\"%s\",\"process\":{\"id\":%ld,\"name\":\"seat\"},\"application\":\"seat.c\"}",
           arguments[1], host, (long)getpid());
  static struct answer answer;
  call("POST", address, idempotency, body, &answer);
  if (answer.status != 200 && answer.status != 201) {
    say_why("No seat", &answer);
    return 1;
  }

  char id[129], key[129], product[160], session[512], key_header[160];
  snprintf(session, sizeof session, "%s/%s", address, member(&answer, "id", id, sizeof id));
  snprintf(key_header, sizeof key_header, "Session-Key: %s", member(&answer, "key", key, sizeof key));
  printf("A seat of %s for %ld s.\n", member(&answer, "product", product, sizeof product), number(&answer, "expiresIn"));
  fflush(stdout);

  const time_t end = time(NULL) + seconds;
  for (long renew = number(&answer, "renewIn"); time(NULL) + renew < end; renew = number(&answer, "renewIn")) {
    sleep((unsigned)renew);
    call("PUT", session, key_header, "{}", &answer);
    if (answer.status != 200) {
      say_why("The seat is lost", &answer);
      call("DELETE", session, key_header, NULL, &answer);
      return 3;
    }
    printf("Kept for %ld s.\n", number(&answer, "expiresIn"));
    fflush(stdout);
  }
  if (time(NULL) < end) sleep((unsigned)(end - time(NULL)));
  call("DELETE", session, key_header, NULL, &answer);
  printf("Given back.\n");
  curl_global_cleanup();
  return 0;
}

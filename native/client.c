/*
 * seawall-client: a client command inside a bot's wall, under the name of the service it asks.
 *
 * It carries an agent's words to the broker and the broker's answer back, and understands neither:
 * what a command is, its help, its checks and its calls are all the broker's, outside of the wall.
 * docs/services.md has the protocol.
 *
 *   NAME [ARGUMENT…] [--input FILE|-] [--output FILE]
 *
 * To the broker goes one line of JSON, then, with --input or an argument `-`, a file or standard
 * input to its end. From it come frames: a byte for the kind, four for the length (big-endian), and
 * so many bytes: `o` for standard output or --output's file, `e` for standard error, `x` with one
 * byte, the exit status, which is the last.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define SOCKET_PATH "/run/broker/socket"
#define REQUEST_LIMIT (1u << 20)
#define FRAME_LIMIT (1u << 20)
/* The broker may be about to start, or to start again; its socket is there all the time. */
#define PATIENCE_MS 10000
#define RETRY_MS 20

enum { EXIT_USAGE = 2, EXIT_OUTSIDE = 5 };

static const char *made; /* Path of --output's file, once this has made it. */

static _Noreturn void fail(int status, const char *code, const char *message) {
  dprintf(2, "{\"error\":{\"type\":\"seawall_client\",\"code\":\"%s\",\"message\":\"%s\"}}\n", code, message);
  if (made) unlink(made);
  exit(status);
}

/* ------------------------------------------------------------------ the request */

static char request[REQUEST_LIMIT];
static size_t filled;

static void put(const char *bytes, size_t length) {
  if (length > sizeof request - filled) fail(EXIT_USAGE, "too-long", "the arguments are too long; send them with - from standard input");
  memcpy(request + filled, bytes, length);
  filled += length;
}

/* Bytes above 0x7f pass as they are; the broker refuses what isn't UTF-8. */
static void put_string(const char *text) {
  put("\"", 1);
  for (; *text; text++) {
    unsigned char c = (unsigned char)*text;
    char escaped[8];
    if (c == '"' || c == '\\') {
      escaped[0] = '\\';
      escaped[1] = (char)c;
      put(escaped, 2);
    } else if (c < 0x20 || c == 0x7f) {
      put(escaped, (size_t)snprintf(escaped, sizeof escaped, "\\u%04x", c));
    } else put(text, 1);
  }
  put("\"", 1);
}

static void put_text(const char *text) { put(text, strlen(text)); }

/* ------------------------------------------------------------------ the connection */

static int reach_broker(void) {
  struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = SOCKET_PATH};
  for (int waited = 0;; waited += RETRY_MS) {
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) fail(EXIT_OUTSIDE, "no-broker", "no socket can be made");
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0) {
      struct ucred peer;
      socklen_t length = sizeof peer;
      /*
       * Who listens is outside of this wall's processes, so it has no id here. Under systemd it has one,
       * but is another user, which nobody in here can be. Anybody else is not the broker.
       */
      if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) < 0 || (peer.pid != 0 && peer.uid == getuid()))
        fail(EXIT_OUTSIDE, "not-the-broker", "whoever answers at the broker's socket is not the broker");
      return fd;
    }
    bool soon = errno == ECONNREFUSED || errno == EAGAIN || errno == EINTR;
    close(fd);
    if (!soon || waited >= PATIENCE_MS) fail(EXIT_OUTSIDE, "no-broker", "the broker can't be reached");
    nanosleep(&(struct timespec){.tv_nsec = RETRY_MS * 1000000L}, NULL);
  }
}

static bool write_all(int fd, const char *bytes, size_t length) {
  while (length > 0) {
    ssize_t written = write(fd, bytes, length);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    bytes += written;
    length -= (size_t)written;
  }
  return true;
}

/* ------------------------------------------------------------------ both ways */

static unsigned char frame[FRAME_LIMIT + 5];
static size_t have;
static int target = 1;

/* Takes whole frames off what has come. The exit status once there is one, else -1. */
static int take_frames(void) {
  size_t at = 0;
  while (have - at >= 5) {
    uint32_t length = (uint32_t)frame[at + 1] << 24 | (uint32_t)frame[at + 2] << 16 | (uint32_t)frame[at + 3] << 8 | frame[at + 4];
    if (length > FRAME_LIMIT) fail(EXIT_OUTSIDE, "protocol", "the broker's answer is not well formed");
    if (have - at - 5 < length) break;
    const char *bytes = (const char *)frame + at + 5;
    switch (frame[at]) {
    case 'o':
      if (!write_all(target, bytes, length)) fail(EXIT_OUTSIDE, "write", "the answer can't be written");
      break;
    case 'e':
      write_all(2, bytes, length);
      break;
    case 'x':
      if (length != 1) fail(EXIT_OUTSIDE, "protocol", "the broker's answer is not well formed");
      return (unsigned char)bytes[0];
    default:
      fail(EXIT_OUTSIDE, "protocol", "the broker's answer is not well formed");
    }
    at += 5 + length;
  }
  memmove(frame, frame + at, have - at);
  have -= at;
  return -1;
}

/* Sends what `source` holds while answers are taken: either side may be the slower one. */
static int converse(int fd, int source) {
  static char chunk[65536];
  size_t pending = 0, sent = 0;
  if (source < 0) shutdown(fd, SHUT_WR);
  for (;;) {
    struct pollfd polled[2] = {{.fd = fd, .events = POLLIN}, {.fd = -1}};
    if (source >= 0) {
      if (pending > 0) polled[0].events |= POLLOUT;
      else polled[1] = (struct pollfd){.fd = source, .events = POLLIN};
    }
    if (poll(polled, 2, -1) < 0 && errno != EINTR) fail(EXIT_OUTSIDE, "no-broker", "the broker can't be waited for");
    if (polled[1].revents) {
      ssize_t got = read(source, chunk, sizeof chunk);
      if (got < 0 && errno != EINTR) fail(EXIT_USAGE, "read", "what is to be sent can't be read");
      if (got == 0) {
        source = -1;
        shutdown(fd, SHUT_WR);
      }
      if (got > 0) pending = (size_t)got, sent = 0;
    }
    if (polled[0].revents & POLLOUT) {
      ssize_t gone = send(fd, chunk + sent, pending - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
      if (gone > 0 && (sent += (size_t)gone) == pending) pending = 0;
      /* The broker needs no more of it; its answer still comes. */
      if (gone < 0 && errno != EAGAIN && errno != EINTR) source = -1, pending = 0;
    }
    if (polled[0].revents & (POLLIN | POLLHUP | POLLERR)) {
      ssize_t got = recv(fd, frame + have, sizeof frame - have, MSG_DONTWAIT);
      if (got < 0 && (errno == EAGAIN || errno == EINTR)) continue;
      if (got <= 0) fail(EXIT_OUTSIDE, "cut", "the broker ended before it had answered");
      have += (size_t)got;
      int status = take_frames();
      if (status >= 0) return status;
    }
  }
}

int main(int count, char **arguments) {
  const char *name = count > 0 ? arguments[0] : "";
  const char *slash = strrchr(name, '/');
  const char *input = NULL, *output = NULL;
  bool reads = false, plain = false, first = true;
  signal(SIGPIPE, SIG_IGN);
  put_text("{\"v\":1,\"command\":");
  put_string(slash ? slash + 1 : name);
  put_text(",\"args\":[");
  for (int i = 1; i < count; i++) {
    const char *argument = arguments[i];
    bool in = strcmp(argument, "--input") == 0, out = strcmp(argument, "--output") == 0;
    if (!plain && (in || out)) {
      if (i + 1 == count) fail(EXIT_USAGE, "usage", "--input and --output take the path of a file");
      if ((in ? input : output) != NULL) fail(EXIT_USAGE, "usage", "--input and --output can be given once");
      *(in ? &input : &output) = arguments[++i];
      continue;
    }
    if (!plain && strcmp(argument, "--") == 0) plain = true;
    if (!plain && strcmp(argument, "-") == 0) reads = true;
    if (!first) put_text(",");
    first = false;
    put_string(argument);
  }
  if (input && reads) fail(EXIT_USAGE, "usage", "standard input is asked for by - and a body by --input: one of them");
  put_text(input || reads ? "],\"body\":true}\n" : "],\"body\":false}\n");
  int source = -1;
  if (reads || (input && strcmp(input, "-") == 0)) source = 0;
  else if (input && (source = open(input, O_RDONLY | O_CLOEXEC)) < 0)
    fail(EXIT_USAGE, "read", "the file of --input can't be opened");
  if (output) {
    target = open(output, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
    if (target < 0)
      fail(EXIT_USAGE, "write", errno == EEXIST ? "the file of --output is there already" : "the file of --output can't be made");
    made = output;
  }
  int fd = reach_broker();
  if (!write_all(fd, request, filled)) fail(EXIT_OUTSIDE, "no-broker", "the broker can't be told");
  int status = converse(fd, source);
  if (made && close(target) < 0) fail(EXIT_OUTSIDE, "write", "the answer can't be written");
  if (made && status != 0) unlink(made);
  return status;
}

/*
 * Node's IPC channel: one JSON object per line over a Unix stream socket, a descriptor attached to
 * the line that announces it (lib/internal/child_process.js of Node 24; the types `net.Native` and
 * `dgram.Native` hand the bare libuv handle to the receiver).
 */
#define _GNU_SOURCE
#include "launch.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

int channel = -1;
unsigned channel_dials;
static unsigned unacknowledged;

/* What has been read and not yet looked at. The dialer inherits it with the rest of the memory. */
static char buffer[4096];
static size_t filled;

static void wait_for(short events) {
  struct pollfd one = {.fd = channel, .events = events};
  while (poll(&one, 1, -1) < 0 && errno == EINTR) {
  }
}

void channel_send(const char *line, int attached) {
  char newline[] = "\n";
  struct iovec parts[2] = {{(void *)(uintptr_t)line, strlen(line)}, {newline, 1}};
  union {
    struct cmsghdr header;
    char space[CMSG_SPACE(sizeof(int))];
  } control;
  struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
  if (attached >= 0) {
    memset(&control, 0, sizeof control);
    message.msg_control = &control;
    message.msg_controllen = sizeof control;
    control.header.cmsg_level = SOL_SOCKET;
    control.header.cmsg_type = SCM_RIGHTS;
    control.header.cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(&control.header), &attached, sizeof attached);
  }
  size_t left = parts[0].iov_len + 1;
  for (;;) {
    ssize_t sent = sendmsg(channel, &message, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && errno == EAGAIN) {
      wait_for(POLLOUT);
      continue;
    }
    if (sent < 0) refuse("channel", "the supervisor can't be reached", errno);
    left -= (size_t)sent;
    if (left == 0) break;
    /* A part went through, and the descriptor with it. */
    message.msg_control = NULL;
    message.msg_controllen = 0;
    for (size_t skip = (size_t)sent; skip > 0;) {
      size_t step = skip < message.msg_iov->iov_len ? skip : message.msg_iov->iov_len;
      message.msg_iov->iov_base = (char *)message.msg_iov->iov_base + step;
      message.msg_iov->iov_len -= step;
      skip -= step;
      if (message.msg_iov->iov_len == 0) {
        message.msg_iov++;
        message.msg_iovlen--;
      }
    }
  }
  if (attached >= 0) {
    unacknowledged++;
    close(attached);
  }
}

enum channel_line channel_next(void) {
  for (;;) {
    char *newline = memchr(buffer, '\n', filled);
    if (newline) {
      *newline = 0;
      enum channel_line kind = LINE_OTHER;
      if (strcmp(buffer, "{\"dial\":true}") == 0) kind = LINE_DIAL;
      else if (strcmp(buffer, "{\"cmd\":\"NODE_HANDLE_ACK\"}") == 0) kind = LINE_ACK;
      else if (strcmp(buffer, "{\"cmd\":\"NODE_HANDLE_NACK\"}") == 0) kind = LINE_NACK;
      size_t used = (size_t)(newline + 1 - buffer);
      memmove(buffer, newline + 1, filled - used);
      filled -= used;
      return kind;
    }
    /* No line we know is this long: let go of it, its end counts as another unknown line. */
    if (filled == sizeof buffer) filled = 0;
    ssize_t got = read(channel, buffer + filled, sizeof buffer - filled);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) {
      wait_for(POLLIN);
      continue;
    }
    if (got <= 0) return LINE_END;
    filled += (size_t)got;
  }
}

void channel_await_acknowledgements(void) {
  while (unacknowledged > 0) {
    switch (channel_next()) {
    case LINE_END:
      refuse("handing over", "the supervisor has gone", 0);
    case LINE_NACK:
      refuse("handing over", "the supervisor could not take a listener", 0);
    case LINE_ACK:
      unacknowledged--;
      break;
    case LINE_DIAL:
      channel_dials++; /* Asked early: the dialer answers when it runs. */
      break;
    case LINE_OTHER:
      break;
    }
  }
}

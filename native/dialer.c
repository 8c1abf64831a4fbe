/*
 * The dialer: a process of ours that stays in the bot's network namespace and connects to the
 * bot's gateway when the supervisor asks. It is forked while we still own that namespace, so it is
 * in the outer user namespace, where the bot has no say; it can do nothing but this, and holds
 * nothing but the channel.
 */
#define _GNU_SOURCE
#include "launch.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/* A connected socket, or minus an errno. */
static int dial(uint32_t port, int timeout_ms) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return -errno;
  struct sockaddr_in gateway = {.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)port),
                                .sin_addr = {htonl(INADDR_LOOPBACK)}};
  int error = connect(fd, (struct sockaddr *)&gateway, sizeof gateway) < 0 ? errno : 0;
  if (error == EINPROGRESS) {
    struct pollfd one = {.fd = fd, .events = POLLOUT};
    socklen_t size = sizeof error;
    int ready = poll(&one, 1, timeout_ms);
    if (ready == 0) error = ETIMEDOUT;
    else if (ready < 0) error = errno;
    else if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0) error = errno;
  }
  if (error == 0) return fd;
  close(fd);
  return -error;
}

static void answer(int fd) {
  char line[96];
  if (fd >= 0) {
    channel_send("{\"cmd\":\"NODE_HANDLE\",\"type\":\"net.Native\",\"msg\":{\"type\":\"dialed\"}}", fd);
    return;
  }
  snprintf(line, sizeof line, "{\"type\":\"dial-failed\",\"error\":\"%s\"}", error_name(-fd));
  channel_send(line, -1);
}

_Noreturn static void serve(uint32_t port, int timeout_ms) {
  for (;;) {
    if (channel_dials > 0) {
      channel_dials--;
      answer(dial(port, timeout_ms));
      continue;
    }
    switch (channel_next()) {
    case LINE_END:
      _exit(0);
    case LINE_DIAL:
      channel_dials++;
      break;
    case LINE_NACK: /* The supervisor had no room for a descriptor; who asked must not wait. */
      answer(-EMFILE);
      break;
    case LINE_ACK:
    case LINE_OTHER:
      break;
    }
  }
}

void start_dialer(uint32_t port, uint32_t timeout_ms, const struct landlock_plan *landlock,
                  const struct filter_plan *filter) {
  const char *operation = "dialer";
  if (port == 0 || port > 65535 || timeout_ms > 60000) refuse(operation, "port or time limit", 0);
  int confined[2];
  if (pipe2(confined, O_CLOEXEC) < 0) refuse(operation, "pipe", errno);
  /*
   * CLONE_PARENT makes it the child of our parent (bubblewrap's pid 1, which reaps it), so the
   * program we become has no child it never started.
   */
  long pid = syscall(SYS_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0);
  if (pid < 0) refuse(operation, "fork", errno);
  if (pid > 0) {
    /* It must be out of the bot's reach before there is a bot: its end of the pipe closes then. */
    char done = 0;
    close(confined[1]);
    ssize_t got;
    while ((got = read(confined[0], &done, 1)) < 0 && errno == EINTR) {
    }
    if (got != 1) refuse(operation, "did not come up", 0);
    close(confined[0]);
    return;
  }
  if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0) refuse(operation, "dumpable", errno);
  prctl(PR_SET_NAME, "seawall-dialer", 0, 0, 0);
  /* Low numbers first, so that everything else can be closed in one go. */
  if (dup3(confined[1], 1, 0) < 0 || dup3(channel, 0, 0) < 0) refuse(operation, "dup", errno);
  channel = 0;
  int null = open("/dev/null", O_RDWR);
  if (null >= 0 && null != 2) dup3(null, 2, 0);
  if (close_range(3, ~0u, 0) < 0) refuse(operation, "descriptors", errno);
  no_new_privileges(operation);
  drop_capabilities(operation, 0);
  if (landlock->fs || landlock->net || landlock->scoped) apply_landlock(operation, landlock);
  apply_filter(operation, filter);
  if (write(1, "1", 1) != 1) _exit(126);
  close(1);
  serve(port, (int)timeout_ms);
}

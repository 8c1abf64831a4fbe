/*
 * A tight loop of system calls for bench/run.ts: stat a file, read from one that is open, connect
 * to a port of its own. Prints nanoseconds of a turn, of each call alone, and of opening a file.
 *
 *   loop PORT
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define FILE_PATH "/usr/share/common-licenses/GPL-3"

static int file, listener;
static struct sockaddr_in own = {.sin_family = AF_INET};

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static void call_stat(void) {
  struct stat status;
  if (stat(FILE_PATH, &status) < 0) fail("stat");
}

static void call_read(void) {
  char buffer[4096];
  if (pread(file, buffer, sizeof buffer, 0) < 0) fail("read");
}

static void call_connect(void) {
  int one = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (one < 0 || connect(one, (struct sockaddr *)&own, sizeof own) < 0) fail("connect");
  int other = accept(listener, NULL, NULL);
  if (other < 0) fail("accept");
  /* No TIME_WAIT: a loop would use up the ports. */
  struct linger now = {.l_onoff = 1};
  setsockopt(one, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  close(one);
  close(other);
}

static void call_open(void) {
  int fd = open(FILE_PATH, O_RDONLY | O_CLOEXEC);
  if (fd < 0) fail("open");
  close(fd);
}

static void turn(void) {
  call_stat();
  call_read();
  call_connect();
}

static double measure(void (*what)(void), int times) {
  struct timespec from, to;
  for (int i = 0; i < times / 10; i++) what();
  clock_gettime(CLOCK_MONOTONIC, &from);
  for (int i = 0; i < times; i++) what();
  clock_gettime(CLOCK_MONOTONIC, &to);
  return ((to.tv_sec - from.tv_sec) * 1e9 + (double)(to.tv_nsec - from.tv_nsec)) / times;
}

int main(int count, char **arguments) {
  own.sin_port = htons((unsigned short)(count > 1 ? atoi(arguments[1]) : 0));
  own.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int yes = 1;
  if ((file = open(FILE_PATH, O_RDONLY | O_CLOEXEC)) < 0) fail("open");
  if ((listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) < 0) fail("socket");
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (bind(listener, (struct sockaddr *)&own, sizeof own) < 0) fail("bind");
  if (listen(listener, 16) < 0) fail("listen");
  printf("{\"turn\":%.1f,\"stat\":%.1f,\"read\":%.1f,\"connect\":%.1f,\"open\":%.1f}\n",
         measure(turn, 10000), measure(call_stat, 50000), measure(call_read, 50000),
         measure(call_connect, 10000), measure(call_open, 50000));
  return 0;
}

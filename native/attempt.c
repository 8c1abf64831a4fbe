/*
 * For tests: makes one raw system call and prints what came of it, as
 * {"result":-1,"error":"EPERM"}.
 *
 *   attempt call NUMBER [ARGUMENT…]   an argument is a number (0x…), or s:TEXT for a pointer to it
 *   attempt memfd FLAGS PROGRAM       copies PROGRAM into a memory file and executes that
 *   attempt map FILE                  maps FILE as code, then as data that is made code
 *   attempt fastopen PORT             connects to 127.0.0.1 while sending (MSG_FASTOPEN)
 *   attempt forks COUNT               makes COUNT processes that wait; how many there were, then ends them
 *   attempt memory MEGABYTES          writes to so much memory; how many megabytes there were, then waits
 *   attempt int80                     a call of the 32-bit kind (x86-64 only)
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <netinet/in.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int report(long result) {
  int error = errno;
  if (result == -1) printf("{\"result\":-1,\"error\":\"%s\"}\n", strerrorname_np(error));
  else printf("{\"result\":%ld}\n", result);
  return 0;
}

static long value(char *text) {
  return strncmp(text, "s:", 2) == 0 ? (long)(text + 2) : (long)strtoul(text, NULL, 0);
}

static int memfd(unsigned flags, const char *program) {
  int from = open(program, O_RDONLY);
  int fd = (int)syscall(SYS_memfd_create, "attempt", flags);
  char block[65536], path[64];
  ssize_t got;
  if (fd < 0) return report(-1);
  while ((got = read(from, block, sizeof block)) > 0)
    if (write(fd, block, (size_t)got) != got) return report(-1);
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  char *arguments[] = {"attempt", "call", "39", NULL};
  execve(path, arguments, NULL);
  return report(-1);
}

static int map(const char *file) {
  int fd = open(file, O_RDONLY);
  report(mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0) == MAP_FAILED ? -1 : 0);
  void *data = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
  return report(data == MAP_FAILED ? -1 : mprotect(data, 4096, PROT_READ | PROT_EXEC));
}

static int fast_open(long port) {
  struct sockaddr_in to = {.sin_family = AF_INET,
                           .sin_port = htons((uint16_t)port),
                           .sin_addr = {htonl(INADDR_LOOPBACK)}};
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  return report(sendto(fd, "x", 1, MSG_FASTOPEN, (struct sockaddr *)&to, sizeof to));
}

static int forks(long count) {
  int gate[2];
  long made = 0, left;
  char byte;
  if (pipe(gate) < 0) return report(-1);
  for (; made < count; made++) {
    pid_t child = fork();
    if (child < 0) break;
    if (child == 0) {
      close(gate[1]);
      _exit(read(gate[0], &byte, 1) < 0);
    }
  }
  report(made);
  close(gate[1]);
  for (left = made; left > 0 && wait(NULL) > 0; left--) {
  }
  return 0;
}

static int memory(long megabytes) {
  long had = 0;
  for (; had < megabytes; had++) {
    char *place = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (place == MAP_FAILED) break;
    memset(place, 1, 1 << 20);
  }
  report(had);
  fflush(stdout);
  /* It stays in use until whoever asked has seen enough. */
  char byte;
  return read(0, &byte, 1) < 0;
}

int main(int count, char **arguments) {
  if (count >= 3 && strcmp(arguments[1], "call") == 0) {
    long a[6] = {0};
    for (int i = 0; i < 6 && i + 3 < count; i++) a[i] = value(arguments[i + 3]);
    long number = value(arguments[2]);
    long result = syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
    if (number == SYS_clone && result == 0) _exit(0);
    return report(result);
  }
  if (count == 4 && strcmp(arguments[1], "memfd") == 0)
    return memfd((unsigned)value(arguments[2]), arguments[3]);
  if (count == 3 && strcmp(arguments[1], "fastopen") == 0) return fast_open(value(arguments[2]));
  if (count == 3 && strcmp(arguments[1], "forks") == 0) return forks(value(arguments[2]));
  if (count == 3 && strcmp(arguments[1], "memory") == 0) return memory(value(arguments[2]));
  if (count == 3 && strcmp(arguments[1], "map") == 0) return map(arguments[2]);
#ifdef __x86_64__
  if (count == 2 && strcmp(arguments[1], "int80") == 0) {
    long result;
    __asm__ volatile("int $0x80" : "=a"(result) : "a"(20L) : "memory");
    return report(result);
  }
#endif
  return 2;
}

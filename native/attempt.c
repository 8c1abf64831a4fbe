/*
 * For tests: makes one raw system call and prints what came of it, as
 * {"result":-1,"error":"EPERM"}.
 *
 *   attempt call NUMBER [ARGUMENT…]   an argument is a number (0x…), or s:TEXT for a pointer to it
 *   attempt memfd FLAGS PROGRAM       copies PROGRAM into a memory file and executes that
 *   attempt int80                     a call of the 32-bit kind (x86-64 only)
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
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
#ifdef __x86_64__
  if (count == 2 && strcmp(arguments[1], "int80") == 0) {
    long result;
    __asm__ volatile("int $0x80" : "=a"(result) : "a"(20L) : "memory");
    return report(result);
  }
#endif
  return 2;
}

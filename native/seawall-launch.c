/* The program itself: arguments, policy, one operation after another, exec. */
#define _GNU_SOURCE
#include "launch.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <linux/close_range.h>

#define USAGE "--policy-fd N or --policy FILE, [--channel-fd N] [--parent PID]"

static pid_t parent;
static bool silent;
/* Names of variables that the command gets from our own environment, where they are set. */
static char **passed;

const char *error_name(int error) {
  static char number[16];
  const char *name = strerrorname_np(error);
  if (name) return name;
  snprintf(number, sizeof number, "%d", error);
  return number;
}

_Noreturn void refuse(const char *operation, const char *detail, int error) {
  char text[512], line[1400];
  int length = error == 0
                   ? snprintf(text, sizeof text, "%s: %s", operation, detail)
                   : snprintf(text, sizeof text, "%s: %s: %s (%s)", operation, detail,
                              strerror(error), error_name(error));
  if (length >= (int)sizeof text) length = sizeof text - 1;
  /* Paths may hold anything; neither a terminal nor a JSON reader should get more than text. */
  size_t at = 0;
  for (int i = 0; i < length; i++) {
    unsigned char c = (unsigned char)text[i];
    if (c < 0x20 || c == 0x7f) c = '?';
    text[i] = (char)c;
    if (c == '"' || c == '\\') line[at++] = '\\';
    line[at++] = (char)c;
  }
  line[at] = 0;
  dprintf(2, "seawall-launch: %s\n", text);
  if (channel >= 0 && !silent) {
    static char message[1500];
    silent = true; /* A channel that fails must not bring us here again. */
    snprintf(message, sizeof message, "{\"launch\":\"refused\",\"message\":\"%s\"}", line);
    channel_send(message, -1);
  }
  _exit(126);
}

/* ------------------------------------------------------------------ reading the policy */

const unsigned char *read_bytes(struct reader *r, size_t length) {
  if ((size_t)(r->end - r->at) < length) refuse(r->operation, "the policy is cut short", 0);
  const unsigned char *from = r->at;
  r->at += length;
  return from;
}

uint32_t read_u32(struct reader *r) {
  uint32_t value;
  memcpy(&value, read_bytes(r, sizeof value), sizeof value);
  return value;
}

uint64_t read_u64(struct reader *r) {
  uint64_t value;
  memcpy(&value, read_bytes(r, sizeof value), sizeof value);
  return value;
}

char *read_string(struct reader *r) {
  uint32_t length = read_u32(r);
  char *text = (char *)(uintptr_t)read_bytes(r, (size_t)length + 1);
  if (memchr(text, 0, (size_t)length + 1) != text + length)
    refuse(r->operation, "a string in the policy is malformed", 0);
  return text;
}

void read_end(const struct reader *r) {
  if (r->at != r->end) refuse(r->operation, "the policy has bytes left over", 0);
}

/* Everything the descriptor holds, which is closed. Freed by nobody: exec does. */
static struct reader load_policy(int fd) {
  size_t size = 0, room = 1 << 16;
  unsigned char *bytes = malloc(room);
  for (;;) {
    if (!bytes) refuse("policy", "no memory", ENOMEM);
    ssize_t got = read(fd, bytes + size, room - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) refuse("policy", "can't be read", errno);
    if (got == 0) break;
    size += (size_t)got;
    if (size > POLICY_LIMIT) refuse("policy", "is too long", 0);
    if (size == room) bytes = realloc(bytes, room *= 2);
  }
  close(fd);
  struct reader r = {bytes, bytes + size, "policy"};
  if (memcmp(read_bytes(&r, 8), "seawall\n", 8) != 0) refuse("policy", "is not a policy", 0);
  if (read_u32(&r) != POLICY_VERSION) refuse("policy", "is of another version", 0);
  if (read_u32(&r) != size) refuse("policy", "is not as long as it says", 0);
  return r;
}

/* ------------------------------------------------------------------ the operations */

static void die_with_parent(uint32_t signal) {
  if (prctl(PR_SET_PDEATHSIG, signal) < 0) refuse("death signal", "can't be set", errno);
  /* It may have died before we asked: then nobody would ever tell us. */
  if (parent > 0 && getppid() != parent) refuse("death signal", "the parent has gone", 0);
}

static void close_descriptors(struct reader *r, bool dry) {
  /* Marked instead of closed, so that a failing exec can still be reported. */
  uint32_t count = read_u32(r), next = 3;
  for (uint32_t i = 0; i <= count; i++) {
    uint32_t keep = i < count ? read_u32(r) : UINT32_MAX;
    if (keep < next || (i < count && keep > 1u << 20))
      refuse(r->operation, "kept descriptors are not ascending", 0);
    if (!dry && keep > next && close_range(next, keep - 1, CLOSE_RANGE_CLOEXEC) < 0)
      refuse(r->operation, "can't be closed", errno);
    if (!dry && keep != UINT32_MAX && fcntl((int)keep, F_SETFD, 0) < 0)
      refuse(r->operation, "one to keep is not open", errno);
    next = keep + 1;
  }
  read_end(r);
}

static char **read_strings(struct reader *r) {
  uint32_t count = read_u32(r);
  if (count > POLICY_LIMIT / 5) refuse(r->operation, "too many strings", 0);
  char **strings = calloc((size_t)count + 1, sizeof *strings);
  if (!strings) refuse(r->operation, "no memory", ENOMEM);
  for (uint32_t i = 0; i < count; i++) strings[i] = read_string(r);
  return strings;
}

static bool is_set(char **environment, const char *name) {
  size_t length = strlen(name);
  for (; *environment; environment++)
    if (strncmp(*environment, name, length) == 0 && (*environment)[length] == '=') return true;
  return false;
}

/* The policy's environment, and what is passed on of what it doesn't set. */
static char **with_passed(char **environment) {
  size_t fixed = 0, more = 0;
  while (environment[fixed]) fixed++;
  while (passed && passed[more]) more++;
  char **all = calloc(fixed + more + 1, sizeof *all);
  if (!all) refuse("execute", "no memory", ENOMEM);
  memcpy(all, environment, fixed * sizeof *all);
  for (size_t i = 0; i < more; i++) {
    const char *value = getenv(passed[i]);
    char *line;
    if (!value || is_set(environment, passed[i])) continue;
    if (asprintf(&line, "%s=%s", passed[i], value) < 0) refuse("execute", "no memory", ENOMEM);
    all[fixed++] = line;
  }
  return all;
}

/*
 * Connects to the socket that the service manager listens on (sd_notify(3)), so that the command,
 * which can make no Unix socket, can write its messages to a descriptor it was given.
 */
static void connect_notify(int wanted) {
  const char *operation = "notify";
  const char *path = getenv("NOTIFY_SOCKET");
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (!path || (*path != '/' && *path != '@')) refuse(operation, "NOTIFY_SOCKET names no socket", 0);
  size_t length = strlen(path);
  if (length >= sizeof address.sun_path) refuse(operation, "NOTIFY_SOCKET is too long", 0);
  memcpy(address.sun_path, path, length);
  if (*path == '@') address.sun_path[0] = 0;
  socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
  int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
  if (fd < 0 || connect(fd, (struct sockaddr *)&address, size) < 0) refuse(operation, path, errno);
  if (fd == wanted) return;
  if (fcntl(wanted, F_GETFD) >= 0) refuse(operation, "its descriptor is taken", 0);
  if (dup2(fd, wanted) < 0) refuse(operation, "descriptor", errno);
  close(fd);
}

static void run_execute(struct reader *r, bool dry, bool once) {
  char *path = read_string(r);
  char **arguments = read_strings(r);
  char **environment = read_strings(r);
  read_end(r);
  if (!arguments[0]) refuse(r->operation, "no arguments", 0);
  if (dry) {
    free(arguments);
    free(environment);
    return;
  }
  environment = with_passed(environment);
  if (once) execute_once(path, arguments, environment);
  execve(path, arguments, environment);
  refuse("execute", path, errno);
}

static void run_ready(void) {
  char line[96];
  snprintf(line, sizeof line, "{\"launch\":\"ready\",\"pid\":%d,\"ipv6\":%s}", (int)getpid(),
           have_ipv6 ? "true" : "false");
  if (channel >= 0) channel_send(line, -1);
}

/* With `dry`, only checks that the record is well formed. */
static void run(uint32_t op, struct reader *r, bool dry) {
  const char *step = "";
  switch ((enum operation)op) {
  case OP_DEATH_SIGNAL: {
    r->operation = "death signal";
    uint32_t signal = read_u32(r);
    read_end(r);
    if (!dry) die_with_parent(signal);
    return;
  }
  case OP_LIMIT: {
    r->operation = "limit";
    uint32_t resource = read_u32(r);
    uint64_t value = read_u64(r);
    read_end(r);
    if (dry) return;
    struct rlimit limit;
    if (getrlimit((int)resource, &limit) < 0) refuse("limit", "can't be read", errno);
    /* What is bounded more narrowly already stays so; raising it would take CAP_SYS_RESOURCE. */
    if (value < limit.rlim_max) limit.rlim_max = value;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit((int)resource, &limit) < 0) refuse("limit", "can't be set", errno);
    return;
  }
  case OP_UMASK: {
    r->operation = "umask";
    uint32_t mask = read_u32(r);
    read_end(r);
    if (!dry) umask(mask);
    return;
  }
  case OP_DIRECTORY: {
    r->operation = "directory";
    char *path = read_string(r);
    read_end(r);
    if (!dry && chdir(path) < 0) refuse("directory", path, errno);
    return;
  }
  case OP_LOOPBACK: {
    r->operation = "loopback";
    read_end(r);
    int error = dry ? 0 : loopback_everything(&step);
    if (error) refuse("loopback", step, error);
    return;
  }
  case OP_LISTEN: {
    r->operation = "listen";
    uint32_t protocol = read_u32(r), family = read_u32(r), port = read_u32(r);
    uint32_t local = read_u32(r);
    read_end(r);
    if (channel < 0) refuse("listen", "needs a channel to hand listeners over", 0);
    if (!dry) make_listener(protocol, family, port, local != 0);
    return;
  }
  case OP_SOCKET: {
    r->operation = "socket";
    char *folder = read_string(r), *name = read_string(r);
    read_end(r);
    if (channel < 0) refuse("socket", "needs a channel to hand it over", 0);
    if (!dry) make_socket(folder, name);
    return;
  }
  case OP_ACKNOWLEDGED:
    r->operation = "handing over";
    read_end(r);
    if (!dry) channel_await_acknowledgements();
    return;
  case OP_DIALER: {
    r->operation = "dialer";
    uint32_t port = read_u32(r), timeout_ms = read_u32(r);
    struct landlock_plan landlock = read_landlock(r);
    struct filter_plan filter = read_filter(r);
    read_end(r);
    if (channel < 0) refuse("dialer", "needs a channel", 0);
    if (!dry) start_dialer(port, timeout_ms, &landlock, &filter);
    return;
  }
  case OP_USER_NAMESPACE: {
    r->operation = "user namespace";
    uint32_t uid = read_u32(r), gid = read_u32(r);
    read_end(r);
    int error = dry ? 0 : nest_user_namespace(uid, gid, &step);
    if (error) refuse("user namespace", step, error);
    return;
  }
  case OP_NO_NEW_PRIVILEGES:
    r->operation = "no new privileges";
    read_end(r);
    if (!dry) no_new_privileges(r->operation);
    return;
  case OP_CAPABILITIES: {
    r->operation = "capabilities";
    uint32_t flags = read_u32(r);
    read_end(r);
    if (!dry) drop_capabilities(r->operation, flags);
    return;
  }
  case OP_LANDLOCK: {
    r->operation = "landlock";
    struct landlock_plan plan = read_landlock(r);
    read_end(r);
    if (!dry) apply_landlock("landlock", &plan);
    return;
  }
  case OP_FILTER: {
    r->operation = "seccomp";
    struct filter_plan plan = read_filter(r);
    read_end(r);
    if (!dry) apply_filter("seccomp", &plan);
    return;
  }
  case OP_DESCRIPTORS:
    r->operation = "descriptors";
    close_descriptors(r, dry);
    return;
  case OP_READY:
    r->operation = "ready";
    read_end(r);
    if (!dry) run_ready();
    return;
  case OP_CODE:
    r->operation = "code";
    run_code(r, dry);
    return;
  case OP_EXPECT:
    r->operation = "mount";
    run_expect(r, dry);
    return;
  case OP_PASS: {
    r->operation = "environment";
    char **names = read_strings(r);
    read_end(r);
    for (size_t i = 0; names[i]; i++)
      if (!*names[i] || strchr(names[i], '=')) refuse(r->operation, "not a variable's name", 0);
    if (dry) free(names);
    else passed = names;
    return;
  }
  case OP_NOTIFY: {
    r->operation = "notify";
    uint32_t wanted = read_u32(r);
    read_end(r);
    if (wanted < 3 || wanted > 1u << 16) refuse(r->operation, "not a descriptor for it", 0);
    if (!dry) connect_notify((int)wanted);
    return;
  }
  case OP_EXECUTE:
  case OP_EXECUTE_ONCE:
    r->operation = "execute";
    run_execute(r, dry, op == OP_EXECUTE_ONCE);
    return;
  }
  refuse("policy", "has an operation this launcher doesn't know", 0);
}

/* The whole policy is checked before its first operation runs: all of it or nothing. */
static void run_policy(struct reader policy, bool dry) {
  uint32_t last = 0;
  while (policy.at != policy.end) {
    if (last == OP_EXECUTE || last == OP_EXECUTE_ONCE)
      refuse("policy", "goes on after its command", 0);
    last = read_u32(&policy);
    uint32_t length = read_u32(&policy);
    const unsigned char *bytes = read_bytes(&policy, length);
    struct reader record = {bytes, bytes + length, "policy"};
    run(last, &record, dry);
  }
  if (last != OP_EXECUTE && last != OP_EXECUTE_ONCE) refuse("policy", "names no command", 0);
}

static int number(const char *text) {
  char *end;
  errno = 0;
  long value = text ? strtol(text, &end, 10) : -1;
  if (!text || *text < '0' || *text > '9' || *end || errno || value > INT32_MAX)
    refuse("arguments", "a number is missing", 0);
  return (int)value;
}

/*
 * Executes a program that is to outlive what a terminal, or whoever ends a whole group of processes,
 * sends: bubblewrap would die of it and take the command along, which may have its own mind about it.
 */
static int execute_undisturbed(char **arguments) {
  static const int signals[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2};
  for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) signal(signals[i], SIG_IGN);
  execv(arguments[0], arguments);
  refuse("execute", arguments[0], errno);
}

/* Whatever whoever started us ignores or blocks is none of the command's business. */
static void reset_signals(void) {
  sigset_t none;
  sigemptyset(&none);
  for (int number = 1; number < NSIG; number++) signal(number, SIG_DFL);
  sigprocmask(SIG_SETMASK, &none, NULL);
}

int main(int count, char **arguments) {
  int policy = -1, wanted = -1;
  const char *file = NULL;
  if (count > 2 && strcmp(arguments[1], "--undisturbed") == 0)
    return execute_undisturbed(arguments + 2);
  if (count == 2 && strcmp(arguments[1], "--probe") == 0) return probe_host();
  if (count == 2 && strcmp(arguments[1], "--probe-inside") == 0) return probe_inside();
  for (int i = 1; i < count; i += 2) {
    const char *value = i + 1 < count ? arguments[i + 1] : NULL;
    if (strcmp(arguments[i], "--policy-fd") == 0) policy = number(value);
    else if (strcmp(arguments[i], "--policy") == 0) file = value;
    else if (strcmp(arguments[i], "--channel-fd") == 0) wanted = number(value);
    else if (strcmp(arguments[i], "--parent") == 0) parent = number(value);
    else refuse("arguments", USAGE, 0);
  }
  if ((policy < 0) == (file == NULL)) refuse("arguments", USAGE, 0);
  /* Else a socket of ours would become somebody's standard error. */
  for (int fd = 0; fd < 3; fd++)
    if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd)
      refuse("arguments", "a standard descriptor is closed", 0);
  if (file && (policy = open(file, O_RDONLY | O_CLOEXEC)) < 0) refuse("policy", file, errno);
  if (wanted >= 0 && fcntl(wanted, F_GETFD) < 0) refuse("channel", "is not open", errno);
  channel = wanted;
  struct reader loaded = load_policy(policy);
  run_policy(loaded, true);
  reset_signals();
  run_policy(loaded, false);
  refuse("policy", "ended", 0);
}

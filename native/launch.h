/*
 * seawall-launch: the last program to run before a walled one.
 *
 * It reads one compiled policy from an inherited descriptor, does what the policy says in the
 * order it says it, and executes the command the policy names. It makes no decisions. Whatever
 * fails ends it with status 126 and one line: nothing starts behind a wall that isn't whole.
 */
#ifndef SEAWALL_LAUNCH_H
#define SEAWALL_LAUNCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Version of the policy format; src/wall/policy/encode.ts writes the same number. */
#define POLICY_VERSION 1u
#define POLICY_LIMIT (4u << 20)

/* The operations, in no order: the policy gives the order. Numbers as in src/wall/policy/. */
enum operation {
  OP_DEATH_SIGNAL = 1,
  OP_LIMIT = 2,
  OP_UMASK = 3,
  OP_DIRECTORY = 4,
  OP_LOOPBACK = 5,
  OP_LISTEN = 6,
  OP_ACKNOWLEDGED = 7,
  OP_DIALER = 8,
  OP_USER_NAMESPACE = 9,
  OP_NO_NEW_PRIVILEGES = 10,
  OP_CAPABILITIES = 11,
  OP_LANDLOCK = 12,
  OP_FILTER = 13,
  OP_DESCRIPTORS = 14,
  OP_READY = 15,
  OP_EXECUTE = 16,
  OP_EXECUTE_ONCE = 17,
  OP_PASS = 18,
  OP_NOTIFY = 19,
  OP_CODE = 20,
  OP_EXPECT = 21,
  OP_SOCKET = 22,
};

/* A run of bytes of the policy that is being read. */
struct reader {
  const unsigned char *at;
  const unsigned char *end;
  const char *operation;
};

uint32_t read_u32(struct reader *r);
uint64_t read_u64(struct reader *r);
/* A NUL-terminated string inside the policy: u32 length without the NUL, bytes, NUL. */
char *read_string(struct reader *r);
const unsigned char *read_bytes(struct reader *r, size_t length);
/* Refuses when bytes are left over. */
void read_end(const struct reader *r);

/* Ends the program: status 126, one line on stderr, the same as a message on the channel. */
_Noreturn void refuse(const char *operation, const char *detail, int error);
/* `ENOENT` for 2; the number in a static buffer if the C library has no name for it. */
const char *error_name(int error);

/* channel.c: Node's IPC channel to the supervisor. */
extern int channel;
void channel_send(const char *line, int attached);
void channel_await_acknowledgements(void);
enum channel_line { LINE_END, LINE_DIAL, LINE_ACK, LINE_NACK, LINE_OTHER };
enum channel_line channel_next(void);
extern unsigned channel_dials;

/* network.c */
extern bool have_ipv6;
/* Errno of the first step that failed, 0 if all went well; `step` names it. */
int loopback_everything(const char **step);
void make_listener(uint32_t protocol, uint32_t family, uint32_t port, bool local);
/* A Unix socket at `folder/name`, bound and not listening, handed over; the folder is read-only afterwards. */
void make_socket(const char *folder, const char *name);

/* confine.c */
struct landlock_plan {
  uint64_t fs, net, scoped;
  uint32_t count;
  struct reader rules;
};
struct filter_plan {
  const unsigned char *code;
  uint32_t count;
};
struct landlock_plan read_landlock(struct reader *r);
void apply_landlock(const char *operation, const struct landlock_plan *plan);
struct filter_plan read_filter(struct reader *r);
void apply_filter(const char *operation, const struct filter_plan *plan);
/* As loopback_everything(). `identity` maps to what the process was outside. */
int nest_user_namespace(uint32_t uid, uint32_t gid, const char **step);
void drop_capabilities(const char *operation, uint32_t flags);
void no_new_privileges(const char *operation);
void execute_once(char *path, char **arguments, char **environment);
#define CAPABILITIES_BOUNDING 1u
#define CAPABILITIES_SECUREBITS 2u

/* mounts.c */
#define CODE_LIMIT 4096u
void run_code(struct reader *r, bool dry);
void run_expect(struct reader *r, bool dry);
/* Nothing can be made, renamed or removed on the mount at `path` from now on; errno, 0 if all went well. */
int forbid_writing(const char *path);
/* As loopback_everything(). */
int try_code(const char **step);

/* dialer.c */
void start_dialer(uint32_t port, uint32_t timeout_ms, const struct landlock_plan *landlock,
                  const struct filter_plan *filter);

/* probe.c: prints what this kernel lets this user do, as one JSON object. */
int probe_host(void);
int probe_inside(void);

#endif

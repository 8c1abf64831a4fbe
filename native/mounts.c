/* What may be mapped as code, and whether a mount shows what it was meant to show. */
#define _GNU_SOURCE
#include "launch.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* include/uapi/linux/mount.h; the C libraries' headers lag behind, or clash with the kernel's. */
#ifndef SYS_open_tree
#define SYS_open_tree 428
#define SYS_move_mount 429
#endif
#ifndef SYS_mount_setattr
#define SYS_mount_setattr 442
#endif
#define CLONE_A_TREE (1u | O_CLOEXEC) /* OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC */
#define RECURSIVELY 0x8000u           /* AT_RECURSIVE */
#define FROM_DESCRIPTOR 0x04u         /* MOVE_MOUNT_F_EMPTY_PATH */
#define TO_BEHIND_LINKS 0x10u         /* MOVE_MOUNT_T_SYMLINKS */
#define NO_WRITING 0x01u              /* MOUNT_ATTR_RDONLY */
#define NO_EXECUTION 0x08u            /* MOUNT_ATTR_NOEXEC */
struct mount_attributes {
  uint64_t set, clear, propagation, user_namespace;
};

static int forbid_execution_everywhere(void) {
  struct mount_attributes none = {.set = NO_EXECUTION};
  return syscall(SYS_mount_setattr, AT_FDCWD, "/", RECURSIVELY, &none, sizeof none) < 0 ? errno : 0;
}

/*
 * Every mount becomes noexec, but for the paths given: each is a mount of its own then, cloned
 * before, so that it has whatever else its mount had. On a noexec mount the kernel neither executes
 * a file nor maps it as code (mm/mmap.c, path_noexec), which is all that the dynamic loader could do
 * with it.
 */
void run_code(struct reader *r, bool dry) {
  uint32_t count = read_u32(r);
  if (count > CODE_LIMIT) refuse(r->operation, "too many paths", 0);
  struct reader paths = *r;
  for (uint32_t i = 0; i < count; i++) read_string(r);
  read_end(r);
  if (dry) return;
  /* A descriptor for each path, whatever the usual limit is; nothing else changes for the command. */
  struct rlimit before, most;
  if (getrlimit(RLIMIT_NOFILE, &before) < 0) refuse(r->operation, "limit of descriptors", errno);
  most = before;
  most.rlim_cur = most.rlim_max;
  if (setrlimit(RLIMIT_NOFILE, &most) < 0) refuse(r->operation, "limit of descriptors", errno);
  int trees[CODE_LIMIT];
  struct reader again = paths;
  for (uint32_t i = 0; i < count; i++) {
    const char *path = read_string(&paths);
    trees[i] = (int)syscall(SYS_open_tree, AT_FDCWD, path, CLONE_A_TREE | RECURSIVELY);
    if (trees[i] < 0) refuse(r->operation, path, errno);
  }
  int error = forbid_execution_everywhere();
  if (error) refuse(r->operation, "forbidding it everywhere else", error);
  for (uint32_t i = 0; i < count; i++) {
    const char *path = read_string(&again);
    if (syscall(SYS_move_mount, trees[i], "", AT_FDCWD, path, FROM_DESCRIPTOR | TO_BEHIND_LINKS) < 0)
      refuse(r->operation, path, errno);
    close(trees[i]);
  }
  if (setrlimit(RLIMIT_NOFILE, &before) < 0) refuse(r->operation, "limit of descriptors", errno);
}

int forbid_writing(const char *path) {
  struct mount_attributes none = {.set = NO_WRITING};
  return syscall(SYS_mount_setattr, AT_FDCWD, path, 0, &none, sizeof none) < 0 ? errno : 0;
}

/* Refuses when `path` is not the file it was when the policy was made: somebody put another there. */
void run_expect(struct reader *r, bool dry) {
  const char *path = read_string(r);
  uint64_t device = read_u64(r), inode = read_u64(r);
  read_end(r);
  if (dry) return;
  struct stat found;
  if (lstat(path, &found) < 0) refuse(r->operation, path, errno);
  if (found.st_dev != device || found.st_ino != inode)
    refuse(r->operation, path, ESTALE);
}

/* For the probe: whether this may be done at all. */
int try_code(const char **step) {
  *step = "cloning a mount";
  int tree = (int)syscall(SYS_open_tree, AT_FDCWD, "/dev", CLONE_A_TREE | RECURSIVELY);
  if (tree < 0) return errno;
  *step = "forbidding execution";
  int error = forbid_execution_everywhere();
  if (error) return error;
  *step = "putting a mount back";
  error = syscall(SYS_move_mount, tree, "", AT_FDCWD, "/dev", FROM_DESCRIPTOR) < 0 ? errno : 0;
  close(tree);
  return error;
}

import type { Syscall } from "./syscalls.ts";

/**
 * All system calls in named sets, in the manner of systemd.exec(5)'s `SystemCallFilter=`. Each call
 * is in exactly one set, which a test checks, so none is forgotten. Calls whose arguments decide
 * are in the set `checked`; `walledPolicy()` has a rule for each of them.
 */
export const ALLOWED_SETS = {
  files: `
    open openat openat2 creat close close_range stat fstat lstat newfstatat statx statfs fstatfs
    access faccessat faccessat2 lseek truncate ftruncate fallocate getdents getdents64 getcwd chdir
    fchdir rename renameat renameat2 mkdir mkdirat rmdir link linkat unlink unlinkat symlink
    symlinkat readlink readlinkat chmod fchmod fchmodat fchmodat2 chown fchown lchown fchownat umask
    utime utimes futimesat utimensat fcntl flock fsync fdatasync sync syncfs sync_file_range
    readahead fadvise64 cachestat copy_file_range inotify_init inotify_init1 inotify_add_watch
    inotify_rm_watch setxattr lsetxattr fsetxattr getxattr lgetxattr fgetxattr listxattr llistxattr
    flistxattr removexattr lremovexattr fremovexattr setxattrat getxattrat listxattrat removexattrat
    file_getattr file_setattr`,
  io: `
    read write readv writev pread64 pwrite64 preadv pwritev preadv2 pwritev2 sendfile splice tee
    vmsplice dup dup2 dup3 pipe pipe2 poll ppoll select pselect6 epoll_create epoll_create1 epoll_ctl
    epoll_wait epoll_pwait epoll_pwait2 eventfd eventfd2 signalfd signalfd4 timerfd_create
    timerfd_settime timerfd_gettime io_setup io_destroy io_getevents io_pgetevents io_submit
    io_cancel`,
  memory: `
    mmap mprotect munmap brk mremap msync mincore madvise mlock munlock mlockall munlockall mlock2
    remap_file_pages membarrier pkey_mprotect pkey_alloc pkey_free map_shadow_stack mseal`,
  processes: `
    fork vfork execve exit exit_group wait4 waitid getpid getppid gettid getpgid setpgid getpgrp
    getsid setsid set_tid_address set_robust_list get_robust_list futex futex_waitv futex_wake
    futex_wait futex_requeue rseq rseq_slice_yield arch_prctl prctl getrusage times sysinfo uname
    pidfd_open restart_syscall getcpu uretprobe uprobe`,
  signals: `
    kill tkill tgkill rt_sigaction rt_sigprocmask rt_sigreturn rt_sigpending rt_sigtimedwait
    rt_sigqueueinfo rt_tgsigqueueinfo rt_sigsuspend sigaltstack pause pidfd_send_signal`,
  network: `
    connect accept accept4 bind listen recvfrom recvmsg recvmmsg shutdown getsockname getpeername
    setsockopt getsockopt`,
  ipc: `
    shmget shmat shmctl shmdt semget semop semctl semtimedop msgget msgsnd msgrcv msgctl mq_open
    mq_unlink mq_timedsend mq_timedreceive mq_notify mq_getsetattr`,
  time: `
    nanosleep clock_nanosleep clock_gettime clock_getres gettimeofday time getitimer setitimer alarm
    timer_create timer_settime timer_gettime timer_getoverrun timer_delete`,
  scheduling: `
    sched_yield sched_setparam sched_getparam sched_setscheduler sched_getscheduler
    sched_get_priority_max sched_get_priority_min sched_rr_get_interval sched_setaffinity
    sched_getaffinity sched_setattr sched_getattr getpriority setpriority ioprio_set ioprio_get`,
  resources: `getrlimit setrlimit prlimit64`,
  identity: `
    getuid geteuid getgid getegid getresuid getresgid getgroups setuid setgid setreuid setregid
    setresuid setresgid setfsuid setfsgid setgroups capget capset`,
  randomness: `getrandom`,
  confinement: `
    seccomp landlock_create_ruleset landlock_add_rule landlock_restrict_self`,
} as const;

/** Refused with EPERM. */
export const REFUSED_SETS = {
  mounts: `
    mount umount2 pivot_root chroot open_tree open_tree_attr move_mount fsopen fsconfig fsmount
    fspick mount_setattr statmount listmount`,
  namespaces: `unshare setns listns`,
  handles: `name_to_handle_at open_by_handle_at fanotify_init fanotify_mark`,
  debugging: `
    ptrace process_vm_readv process_vm_writev process_madvise process_mrelease pidfd_getfd kcmp
    perf_event_open lookup_dcookie`,
  kernel: `
    bpf userfaultfd init_module finit_module delete_module create_module query_module
    get_kernel_syms kexec_load kexec_file_load reboot syslog acct swapon swapoff quotactl quotactl_fd
    nfsservctl lsm_get_self_attr lsm_set_self_attr lsm_list_modules vhangup sethostname
    setdomainname`,
  keyrings: `add_key request_key keyctl`,
  clocks: `settimeofday clock_settime clock_adjtime adjtimex`,
  hardware: `
    iopl ioperm modify_ldt set_thread_area get_thread_area migrate_pages move_pages mbind
    set_mempolicy get_mempolicy set_mempolicy_home_node`,
} as const;

/**
 * Refused with ENOSYS, as a kernel without them would: programs have another way then.
 * `clone3` keeps its flags in memory, where a filter can't look; the C libraries go back to `clone`.
 * `execveat` would execute a descriptor without a path; `fexecve` goes back to `/proc/self/fd`.
 */
export const ABSENT_SETS = {
  newer: `
    clone3 execveat io_uring_setup io_uring_enter io_uring_register memfd_secret`,
  dead: `
    uselib ustat sysfs _sysctl getpmsg putpmsg afs_syscall tuxcall security epoll_ctl_old
    epoll_wait_old vserver`,
} as const;

/** Calls whose arguments decide. */
export const CHECKED_SET = `
  clone socket socketpair sendto sendmsg sendmmsg ioctl personality memfd_create mknod
  mknodat` as const;

/** The names in a set's text. Throws nothing: a name that doesn't exist is caught by a test. */
export function namesOf(set: string): readonly Syscall[] {
  return set.trim().split(/\s+/u) as Syscall[];
}

/** What a program uses besides the libraries that its file names. */
export interface ProgramExtras {
  /** Base names of the program's file. */
  readonly programs: RegExp;
  /**
   * Folders with files that it reads; `*` stands for the rest of a name. What begins with `../` is by the
   * program's own folder, links followed: Nix has each package in a place of its own.
   */
  readonly data?: readonly string[];
  /** Folders with libraries that it loads while it runs. */
  readonly code?: readonly string[];
  /** Programs of its own that it starts. */
  readonly starts?: readonly string[];
}

/** As Debian, Fedora, Arch and Alpine have them; what isn't there is left out. */
export const PROGRAM_EXTRAS: readonly ProgramExtras[] = [
  {
    programs: /^python3?(?:\.\d+)?$/u,
    data: ["/usr/lib/python3*", "/usr/lib64/python3*", "/usr/local/lib/python3*"],
    code: ["/usr/lib/python3*", "/usr/lib64/python3*", "/usr/local/lib/python3*"],
  },
  {
    programs: /^perl(?:5[\d.]*)?$/u,
    data: ["/usr/share/perl*", "/usr/lib/*-linux-gnu/perl*", "/usr/lib64/perl5", "/usr/lib/perl5"],
    code: ["/usr/lib/*-linux-gnu/perl*", "/usr/lib64/perl5", "/usr/lib/perl5"],
  },
  {
    programs: /^git$/u,
    data: ["/usr/share/git-core", "../share/git-core"],
    starts: [
      "../libexec/git-core/git-remote-http",
      "../libexec/git-core/git-remote-https",
      "/usr/lib/git-core/git-remote-http",
      "/usr/lib/git-core/git-remote-https",
      "/usr/libexec/git-core/git-remote-http",
      "/usr/libexec/git-core/git-remote-https",
    ],
  },
  {
    programs: /^ruby(?:\d[\d.]*)?$/u,
    data: ["/usr/lib/ruby", "/usr/lib/*-linux-gnu/ruby", "/usr/lib64/ruby", "/var/lib/gems"],
    code: ["/usr/lib/*-linux-gnu/ruby", "/usr/lib/ruby", "/usr/lib64/ruby", "/var/lib/gems"],
  },
  {
    programs: /^php(?:\d[\d.]*)?$/u,
    data: ["/usr/share/php*", "/usr/lib/php", "/usr/lib64/php"],
    code: ["/usr/lib/php", "/usr/lib64/php"],
  },
  { programs: /^(?:vim|vi|view)(?:\.\w+)?$/u, data: ["/usr/share/vim"] },
  { programs: /^[gm]awk$/u, data: ["/usr/share/awk"] },
  { programs: /^file$/u, data: ["/usr/share/misc", "/usr/share/file"] },
  {
    programs: /^(?:less|man|top|tput|clear)$/u,
    data: ["/usr/share/terminfo", "/usr/lib/terminfo"],
  },
];

/**
 * Libraries that glibc or Node load by name when they are needed: name services before glibc 2.34,
 * cancelling threads, and what native modules of npm packages link with.
 */
export const COMPANIONS: readonly string[] = [
  ..."libc.so.6 libm.so.6 libdl.so.2 libpthread.so.0 librt.so.1 libutil.so.1".split(" "),
  ..."libresolv.so.2 libnss_dns.so.2 libnss_files.so.2 libgcc_s.so.1".split(" "),
];

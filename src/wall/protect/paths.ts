import type { Protection } from "../WallSpec.ts";

/** A path that is kept back even inside a folder that is granted, unless it is granted by name. */
export interface ProtectedPath {
  /** Relative to the home folder, or to each granted folder. */
  readonly path: string;
  readonly access: Protection["access"];
  /**
   * What happens where it doesn't exist in a writable folder. In a home folder everything is sealed; in
   * a project only what would run without anybody being asked, since a sealed project takes no new
   * files at its top.
   */
  readonly absent: "seal" | "leave";
  readonly reason: string;
}

function all(
  access: Protection["access"],
  absent: "seal" | "leave",
  entries: readonly (readonly [paths: string, reason: string])[],
): readonly ProtectedPath[] {
  return entries.flatMap(([paths, reason]) =>
    paths.split(" ").map((path) => ({ path, access, absent, reason })),
  );
}

/** Under a person's home: what holds keys can't be read, what gets executed can't be written. */
export const HOME_PATHS: readonly ProtectedPath[] = [
  ...all("hidden", "seal", [
    [".ssh", "private keys, and authorized_keys by which others log in (ssh(1), FILES)"],
    [".gnupg", "private keys (gpg(1), FILES)"],
    [".aws .azure .config/gcloud .oci .config/doctl", "keys of cloud accounts"],
    [".kube .docker/config.json .config/containers/auth.json", "keys of clusters and registries"],
    [".netrc .git-credentials .config/git/credentials", "passwords that curl and git send"],
    [".config/gh .config/glab-cli .config/hub", "tokens of code hosts"],
    [".npmrc .yarnrc.yml .pypirc .gem/credentials", "tokens of package registries"],
    [".cargo/credentials .cargo/credentials.toml .m2/settings.xml", "tokens of package registries"],
    [".vault-token .terraform.d .terraformrc", "tokens of Vault and Terraform"],
    [".pgpass .my.cnf .mylogin.cnf", "passwords of databases"],
    [".password-store .local/share/keyrings .local/share/kwalletd", "passwords"],
    [
      ".config/op .config/Bitwarden .config/keepassxc .config/sops .config/age",
      "passwords and keys",
    ],
    [
      ".mozilla .config/google-chrome .config/chromium .config/BraveSoftware",
      "sessions of browsers",
    ],
    [
      ".thunderbird .config/Signal .config/Slack .config/discord",
      "mail, messages and their sessions",
    ],
    [".local/state/seawall .config/seawall", "Seawall's vault, authority and declarations"],
    [".openclaw .clawdbot", "keys of OpenClaw run without a wall"],
    [
      ".bash_history .zsh_history .python_history .node_repl_history",
      "what was typed, keys included",
    ],
    [".psql_history .mysql_history .sqlite_history .lesshst .viminfo", "what was typed and read"],
  ]),
  ...all("read-only", "seal", [
    [".bashrc .bash_profile .bash_login .bash_logout .bash_aliases", "run by bash(1), FILES"],
    [".profile .pam_environment .xprofile .xsession .xinitrc", "run at login"],
    [".zshrc .zshenv .zprofile .zlogin .zlogout", "run by zsh(1), STARTUP/SHUTDOWN FILES"],
    [".config/fish .kshrc .cshrc .tcshrc .login .logout", "run by shells"],
    [".inputrc .config/readline", "can bind a key to a command (readline(3))"],
    [".config/environment.d .config/systemd .config/autostart", "run by systemd and the desktop"],
    [".local/share/systemd .local/share/applications .local/share/dbus-1", "run by the desktop"],
    [".local/bin bin .local/lib", "on the PATH of most distributions' .profile; user packages"],
    [".gitconfig .config/git", "core.hooksPath, aliases and filters run commands (git-config(1))"],
    [".vim .vimrc .config/nvim .emacs .emacs.d .config/emacs .nanorc", "run by editors"],
    [".config/Code .vscode .vscode-server .config/Cursor .cursor .config/zed", "run by editors"],
    [".config/JetBrains .local/share/JetBrains .config/sublime-text", "run by editors"],
    [".claude .claude.json .codex .gemini .config/goose .aider.conf.yml", "run by coding agents"],
    [
      ".tmux.conf .config/tmux .screenrc .gdbinit .lldbinit .config/gdb",
      "run by tools at their start",
    ],
    [".config/direnv .envrc .config/mise .tool-versions .asdfrc", "run on entering a folder"],
    [".config/pip .pip .config/uv .condarc .pythonstartup", "where Python's packages come from"],
    [
      ".config/pnpm .yarnrc .bunfig.toml .cargo/config .cargo/config.toml",
      "run by package managers",
    ],
    [".gradle/init.d .gradle/gradle.properties .m2/extensions.xml", "run by builds"],
    [
      ".psqlrc .sqliterc .irbrc .pryrc .Rprofile .ghci .perldb",
      "run by interpreters at their start",
    ],
  ]),
];

/**
 * In every granted folder, and in repositories found below it; `.git/` also stands for the repositories
 * of submodules. `.git/config.worktree` and `.git/info/attributes` aren't here: they do nothing that
 * `.git/config` hasn't allowed.
 */
export const FOLDER_PATHS: readonly ProtectedPath[] = [
  ...all("read-only", "seal", [
    [".git/hooks", "run by git, which asks nobody (githooks(5))"],
    [
      ".git/config",
      "core.hooksPath, core.fsmonitor, aliases and filters run commands (git-config(1))",
    ],
  ]),
  ...all("read-only", "leave", [
    [
      ".envrc .env.fish .mise.toml mise.toml",
      "run on entering the folder, once it has been trusted",
    ],
    [".vscode .idea .zed .fleet", "tasks run by editors, once the folder is trusted"],
    [
      ".devcontainer .devcontainer.json",
      "run by editors on opening the folder, once they have asked",
    ],
    [
      ".claude .mcp.json CLAUDE.md AGENTS.md GEMINI.md",
      "hooks, servers and orders of coding agents",
    ],
    [".cursor .cursorrules .codex .gemini .aider.conf.yml .windsurf", "the same of other agents"],
    [".github/copilot-instructions.md", "orders of a coding agent"],
    [".husky .pre-commit-config.yaml lefthook.yml .lefthook.yml", "git hooks, once installed"],
    [
      ".npmrc .yarnrc .yarnrc.yml .yarn/releases .pnpmfile.cjs bunfig.toml",
      "run by package managers",
    ],
    [".cargo/config.toml .cargo/config .mvn .bazelrc", "run by builds"],
    [
      ".exrc .nvimrc .nvim.lua .vimrc .dir-locals.el .gdbinit .lldbinit",
      "run by tools, once allowed",
    ],
  ]),
];

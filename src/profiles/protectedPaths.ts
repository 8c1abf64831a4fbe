/**
 * What is kept back even inside a folder that was allowed, unless a rule names it: the owner's keys
 * aren't there at all, and what other programs of the owner execute can be read but not written.
 */
export interface ProtectedPath {
  /** Below the home folder, or below each folder that may be written. */
  readonly path: string;
  readonly access: "hidden" | "read-only";
}

const hidden = (path: string): ProtectedPath => ({ path, access: "hidden" });
const readOnly = (path: string): ProtectedPath => ({ path, access: "read-only" });

/** Below the home folder. */
export const PROTECTED_AT_HOME: readonly ProtectedPath[] = [
  ...[
    ".ssh .aws .azure .gnupg .kube .netrc .pgpass .git-credentials .vault-token .password-store",
    ".npmrc .pypirc .yarnrc.yml .docker/config.json .cargo/credentials.toml .gem/credentials",
    ".config/gh .config/glab-cli .config/gcloud .config/op .config/hub .config/rclone .config/sops",
    ".config/git/credentials .config/containers/auth.json .config/seawall .config/nono",
    ".local/state/seawall .local/share/seawall .local/share/keyrings .local/share/kwalletd",
    ".mozilla .thunderbird .config/google-chrome .config/chromium .config/BraveSoftware .config/Signal",
    ".bash_history .zsh_history .python_history .node_repl_history .psql_history .mysql_history",
  ]
    .join(" ")
    .split(" ")
    .map(hidden),
  ...[
    ".bashrc .bash_profile .bash_login .bash_logout .bash_aliases .profile .inputrc",
    ".zshrc .zshenv .zprofile .zlogin .zlogout .kshrc .config/fish .config/nushell",
    ".gitconfig .config/git .config/systemd .config/autostart .config/environment.d .pam_environment",
    ".vimrc .vim .config/nvim .emacs .emacs.d .config/emacs .tmux.conf .config/tmux .screenrc",
    ".config/Code/User .vscode .vscode-server .config/zed .config/direnv .direnvrc",
    ".claude .claude.json .codex .gemini .cursor .config/opencode .local/bin bin",
  ]
    .join(" ")
    .split(" ")
    .map(readOnly),
];

/** Below every folder that may be written: what git, shells, editors and agents execute there. */
export const PROTECTED_AT_WORK: readonly ProtectedPath[] = [
  ".git/hooks .git/config .git/modules .githooks .husky .envrc .direnv",
  ".vscode .idea .zed .nvim.lua .exrc .vimrc",
  ".claude .cursor .codex .gemini .mcp.json .pre-commit-config.yaml",
]
  .join(" ")
  .split(" ")
  .map(readOnly);

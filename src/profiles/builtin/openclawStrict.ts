/**
 * OpenClaw that can't change its own configuration, has no shell, and writes its state and workspace
 * only.
 */
export const openclawStrict = {
  extends: "node",
  meta: {
    name: "openclaw-strict",
    description: "OpenClaw with a read-only configuration; writes its state and workspace only",
  },
  workdir: { access: "none" },
  filesystem: {
    // The second is where it keeps temporary files if it does not like /tmp.
    create: ["$HOME/.openclaw", "$HOME/.cache/openclaw-$UID"],
    read: ["$HOME/.config/openclaw"],
    protect: ["$HOME/.openclaw/openclaw.json"],
  },
  network: { bind: [18789] },
  environment: {
    set: {
      DO_NOT_TRACK: "1",
      OPENCLAW_CONFIG_READONLY: "1",
      OPENCLAW_DISABLE_BONJOUR: "1",
      OPENCLAW_EXEC_SHELL_SNAPSHOT: "0",
      OPENCLAW_NO_AUTO_UPDATE: "1",
      OPENCLAW_NO_RESPAWN: "1",
      OPENCLAW_SUPERVISOR_MODE: "external",
    },
  },
};

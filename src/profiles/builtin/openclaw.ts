/**
 * OpenClaw with the state and configuration of the user who calls it. What it needs was measured,
 * see docs/openclaw.md; hosts and credentials are for the caller to grant.
 */
export const openclaw = {
  extends: ["node", "shell"],
  meta: {
    name: "openclaw",
    description: "OpenClaw with its usual folders; no host until one is granted",
  },
  filesystem: {
    // The second is where it keeps temporary files if it does not like /tmp.
    create: ["$HOME/.openclaw", "$HOME/.cache/openclaw-$UID"],
    allow: [
      "$HOME/.config/openclaw",
      "$HOME/.local/share/openclaw",
      "$HOME/.local/state/openclaw",
      "$HOME/.cache/openclaw",
    ],
  },
  network: { bind: [18789] },
  environment: {
    allow_vars: ["OPENCLAW_*"],
    set: {
      DO_NOT_TRACK: "1",
      OPENCLAW_DISABLE_BONJOUR: "1",
      OPENCLAW_NO_AUTO_UPDATE: "1",
      OPENCLAW_NO_RESPAWN: "1",
      // Without it a failed start is followed by an automatic repair that may start an agent.
      OPENCLAW_SUPERVISOR_MODE: "external",
    },
  },
};

/**
 * Shapes of well-known credentials. A hit is a fault, so each must be too particular to be a name,
 * a path or a host that a person would write into a declaration.
 */
export const SHAPES: readonly RegExp[] = [
  /sk-(?:ant|proj|or|svcacct)-[A-Za-z0-9_-]{16,}/, // Anthropic, OpenAI, OpenRouter
  /\bsk-[A-Za-z0-9]{32,}/, // OpenAI, older
  /\bAIza[A-Za-z0-9_-]{30,}/, // Google API key
  /\bGOCSPX-[A-Za-z0-9_-]{20,}/, // Google OAuth client
  /\b\d{8,10}:AA[A-Za-z0-9_-]{30,}/, // Telegram bot
  /\bgh[pousr]_[A-Za-z0-9]{30,}/, // GitHub
  /\bgithub_pat_[A-Za-z0-9_]{30,}/,
  /\bglpat-[A-Za-z0-9_-]{18,}/, // GitLab
  /\bxox[abeprs]-[A-Za-z0-9-]{10,}/, // Slack
  /\bxapp-\d-[A-Za-z0-9-]{10,}/,
  /\b[MNO][A-Za-z0-9_-]{22,26}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,}/, // Discord bot
  /\bA[KS]IA[A-Z0-9]{16}\b/, // AWS
  /\bBSA[A-Za-z0-9_-]{24,}/, // Brave
  /\bAGE-SECRET-KEY-1[A-Z0-9]{40,}/i,
  /-----BEGIN [A-Z ]*PRIVATE KEY-----/,
  /\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}/, // JWT
  /^[A-Za-z0-9_-]{40,}$/, // any long unbroken token
];

/** Whether a string has the shape of a credential that nobody should keep in a declaration. */
export function looksLikeSecret(text: string): boolean {
  return SHAPES.some((shape) => shape.test(text));
}

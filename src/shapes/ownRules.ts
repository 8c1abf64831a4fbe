/** A shape that the maintained rules have none for. */
export interface OwnRule {
  readonly name: string;
  readonly pattern: RegExp;
}

/**
 * Credentials of the catalogue's services that secretlint 13.0 has no rule for. Each shape is the one
 * the service documents or hands out, whole and with its boundaries, so that text rarely has it.
 */
export const OWN_RULES: readonly OwnRule[] = [
  { name: "telegram", pattern: /(?<![\w/])\d{8,10}:AA[\w-]{33}(?![\w-])/g },
  {
    name: "discord",
    pattern: /(?<![\w.-])[MNO][\w-]{23,27}\.[\w-]{6}\.[\w-]{38}(?![\w.-])/g,
  },
  { name: "google-api-key", pattern: /(?<![\w-])AIzaSy[\w-]{33}(?![\w-])/g },
  { name: "openrouter", pattern: /(?<![\w-])sk-or-v1-[0-9a-f]{64}(?!\w)/g },
  { name: "brave", pattern: /(?<![\w-])BSA(?=[\w-]*\d)(?=[\w-]*[a-z])[\w-]{28}(?![\w-])/g },
  { name: "tavily", pattern: /(?<![\w-])tvly-(?:dev-|prod-)?(?=\w*\d)[A-Za-z0-9]{32}(?![\w-])/g },
  { name: "xai", pattern: /(?<![\w-])xai-(?=\w*\d)[A-Za-z0-9]{80}(?![\w-])/g },
  { name: "elevenlabs", pattern: /(?<![\w-])sk_[0-9a-f]{48}(?!\w)/g },
  { name: "slack-app", pattern: /(?<![\w-])xapp-\d-[A-Z0-9]{9,12}-\d{12,14}-[0-9a-f]{64}(?!\w)/g },
  {
    name: "age-identity",
    pattern: /(?<!\w)AGE-SECRET-KEY-1[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{58}(?!\w)/g,
  },
];

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensureAuthority, issueLeaf } from "../authority/index.ts";
import { startAnthropicStandIn, type AnthropicStandIn } from "./AnthropicStandIn.ts";
import { startTelegramStandIn, type TelegramStandIn } from "./TelegramStandIn.ts";

/** Local servers in place of the outside services, which take the given real values only. */
export interface StandIns {
  /** The CA to trust when dialling them. */
  readonly caPem: string;
  readonly anthropic: AnthropicStandIn;
  readonly telegram: TelegramStandIn;
  close(): Promise<void>;
}

/**
 * Starts both stand-ins on free ports of 127.0.0.1, with certificates for `api.anthropic.com` and
 * `api.telegram.org` from an authority that is thrown away at once.
 */
export async function startStandIns(values: {
  readonly anthropicKey: string;
  readonly telegramToken: string;
}): Promise<StandIns> {
  const folder = await mkdtemp(join(tmpdir(), "seawall-stand-ins-"));
  try {
    const authority = await ensureAuthority(folder);
    const anthropic = await startAnthropicStandIn(
      await issueLeaf(authority, ["api.anthropic.com"]),
      values.anthropicKey,
    );
    const telegram = await startTelegramStandIn(
      await issueLeaf(authority, ["api.telegram.org"]),
      values.telegramToken,
    );
    return {
      caPem: authority.caPem,
      anthropic,
      telegram,
      close: async () => {
        await Promise.all([anthropic.close(), telegram.close()]);
      },
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

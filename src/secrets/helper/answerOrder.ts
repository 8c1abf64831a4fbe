import { openDirect } from "../openDirect.ts";
import { seal } from "../seal.ts";
import { SecretError } from "../SecretError.ts";
import { toResult, type StoreOrder, type StoreResult } from "../StoreRequest.ts";

/** Reads every value that was asked for, one after the other, and seals each to the one who asked. */
export async function answerOrder({ sources, key, settings }: StoreOrder): Promise<StoreResult[]> {
  const stores = openDirect(settings);
  const results: StoreResult[] = [];
  for (const source of sources) {
    try {
      const value = await stores.read(source);
      results.push({ sealed: seal(Buffer.from(value.revealSecret()), key) });
    } catch (error) {
      // Of any other error nobody knows what is in its message.
      results.push(
        error instanceof SecretError
          ? toResult(error)
          : { code: "helper", message: "reading a secret from its store failed" },
      );
    }
  }
  return results;
}

import { SecretError, SecretValue } from "../index.ts";
import { KeyringStore } from "../keyring/KeyringStore.ts";

/** Does things with the keyring of the environment it is started in: `[method, ...arguments][]` on its channel. */
process.on("message", (calls: [string, ...string[]][]) => {
  void answer(calls).then((answers) => process.send?.(answers, () => process.disconnect()));
});

async function answer(calls: readonly [string, ...string[]][]): Promise<unknown[]> {
  const answers: unknown[] = [];
  for (const [method, ...args] of calls) answers.push(await perform(method, args));
  return answers;
}

async function perform(method: string, [name = "", value = ""]: string[]): Promise<unknown> {
  const store = new KeyringStore();
  try {
    switch (method) {
      case "set":
        return (await store.set(name, new SecretValue(value))) ?? "set";
      case "read":
        return (await store.read(name)).revealSecret();
      case "nono":
        return (
          await store.read({ store: "keyring", service: "nono", account: name })
        ).revealSecret();
      case "rm":
        return (await store.rm(name)) ?? "removed";
      default:
        return await store.list();
    }
  } catch (error) {
    if (error instanceof SecretError) return { code: error.code, hint: error.hint };
    throw error;
  }
}

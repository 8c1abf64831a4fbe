import { OpenClawError } from "./OpenClawError.ts";
import { runNpm } from "./runNpm.ts";

/**
 * The registry that this user's npm asks, with no credentials in it.
 *
 * @throws OpenClawError `registry` when it isn't an HTTPS address, and as {@link runNpm} does.
 */
export async function registryUrl(): Promise<string> {
  const text = (await runNpm(["config", "get", "registry"], "/")).trim();
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === "https:" && url.username === "" && url.password === "") return url.href;
  throw new OpenClawError("registry", "npm's registry can't be used for plugins", {
    hint: "it must be an https address without a password: npm config get registry",
  });
}

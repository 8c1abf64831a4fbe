import { OpenClawError } from "./OpenClawError.ts";
import { runNpm, type NpmCommand } from "./runNpm.ts";

/**
 * The registry that this user's npm asks, with no credentials in it.
 *
 * @param npm the command of another npm than that on PATH.
 * @throws OpenClawError `registry` when it isn't an HTTPS address, and as {@link runNpm} does.
 */
export async function registryUrl(npm?: NpmCommand): Promise<string> {
  const text = (await runNpm(["config", "get", "registry"], "/", npm)).trim();
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === "https:" && url.username === "" && url.password === "") return url.href;
  throw new OpenClawError("registry", "npm's registry can't be used for plugins", {
    hint: "it must be an https address without a password: npm config get registry",
  });
}

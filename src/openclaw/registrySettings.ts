import { OpenClawError } from "./OpenClawError.ts";
import { runNpm } from "./runNpm.ts";

/** How this user's npm gets to its registry, for somebody else to get there the same way. */
export interface RegistrySettings {
  /** npm's own usual one where left out. */
  readonly registry?: string;
  /** A proxy that asks for no password. */
  readonly proxy?: string;
  /** PEM file of the CAs that it trusts instead of the public ones; absolute. */
  readonly cafile?: string;
}

const LOOPBACK = /^(?:127(?:\.\d{1,3}){3}|\[::1\]|localhost)$/;

/**
 * @throws OpenClawError `registry` for a registry by plain HTTP that isn't this machine's own, and for
 *   passwords, which would have to be written down; and as {@link runNpm} does.
 */
export async function registrySettings(): Promise<RegistrySettings> {
  const [registry, proxy, cafile] = await Promise.all(
    ["registry", "https-proxy", "cafile"].map(async (key) => {
      const text = (await runNpm(["config", "get", key], "/")).trim();
      return ["", "null", "undefined"].includes(text) ? undefined : text;
    }),
  );
  const url = readUrl(registry, "registry");
  if (url.protocol !== "https:" && !LOOPBACK.test(url.hostname)) throw unusable("registry");
  return {
    registry: url.href,
    ...(proxy === undefined ? {} : { proxy: readUrl(proxy, "https-proxy").href }),
    ...(cafile?.startsWith("/") === true ? { cafile } : {}),
  };
}

function readUrl(text: string | undefined, key: string): URL {
  const url = text !== undefined && URL.canParse(text) ? new URL(text) : undefined;
  const plain = url !== undefined && url.username === "" && url.password === "";
  if (plain && /^https?:$/.test(url.protocol)) return url;
  throw unusable(key);
}

function unusable(key: string): OpenClawError {
  return new OpenClawError("registry", `npm's setting "${key}" can't be used for updates`, {
    hint: `it must be an https address without a password: npm config get ${key}`,
  });
}

import type { Reader } from "./checkProfile.ts";
import type { CustomCredential, Entry } from "./Profile.ts";
import { isVariable, SECRET_NAME } from "./words.ts";

const KEYS = [
  "upstream",
  "credential_key",
  "inject_mode",
  "inject_header",
  "credential_format",
  "query_param_name",
  "path_pattern",
  "env_var",
  "endpoint_rules",
] as const;
const MODES = ["header", "query_param", "url_path", "basic_auth"] as const;
type Mode = (typeof MODES)[number];

/**
 * `network.custom_credentials` as nono documents it ("Custom Credential Definitions"): a service by
 * its origin, the name of its secret and the place where calls carry it.
 */
export function checkCustom(value: unknown, reader: Reader): readonly Entry<CustomCredential>[] {
  const at = ["network", "custom_credentials"];
  return Object.entries(reader.record(value, at)).flatMap(([name, described]) => {
    const path = [...at, name];
    if (!SECRET_NAME.test(name)) {
      reader.fault(path, "this is no service's name", "use letters, digits, - and _", true);
      return [];
    }
    const fields = reader.object(described, path, KEYS);
    const before = reader.faults.length;
    const mode = reader.checked(
      fields["inject_mode"],
      [...path, "inject_mode"],
      isMode,
      MODES.join(", "),
    );
    const place = placeOf(mode ?? "header", fields, path, reader);
    const upstream = origin(fields["upstream"], [...path, "upstream"], reader);
    const secret = reader.checked(
      fields["credential_key"] ?? name,
      [...path, "credential_key"],
      isSecretName,
      "the name of a secret in Seawall's vault",
    );
    const variable = reader.checked(
      fields["env_var"] ?? `${name.toUpperCase().replaceAll(/\W/g, "_")}_API_KEY`,
      [...path, "env_var"],
      isVariable,
      "the name of a variable",
    );
    const allow = endpointRules(fields["endpoint_rules"], [...path, "endpoint_rules"], reader);
    if (reader.faults.length > before || place === undefined || upstream === undefined) return [];
    if (secret === undefined || variable === undefined) return [];
    return [reader.entry({ name, upstream, secret, place, variable, allow }, path)];
  });
}

function placeOf(
  mode: Mode,
  fields: Readonly<Record<string, unknown>>,
  path: readonly string[],
  reader: Reader,
): CustomCredential["place"] | undefined {
  const format = reader.text(fields["credential_format"] ?? "Bearer {}", [
    ...path,
    "credential_format",
  ]);
  switch (mode) {
    case "header": {
      const header = reader.text(fields["inject_header"] ?? "Authorization", [
        ...path,
        "inject_header",
      ]);
      if (header === undefined || format === undefined) return undefined;
      if (!/^[\w-]{1,64}$/.test(header))
        reader.fault([...path, "inject_header"], "this is no header's name");
      const prefix = /^([^{}]*)\{\}$/.exec(format)?.[1];
      if (prefix === undefined)
        reader.fault(
          [...path, "credential_format"],
          "what follows the credential can't be honoured",
          'end it in {}, as "Bearer {}"',
        );
      return { header, prefix: prefix ?? "" };
    }
    case "query_param": {
      const query = reader.text(fields["query_param_name"], [...path, "query_param_name"]);
      if (query === undefined || query === "")
        reader.fault(
          path,
          "the name of the query parameter is missing",
          "add query_param_name",
          true,
        );
      return { query: query ?? "" };
    }
    case "url_path": {
      const pattern = reader.text(fields["path_pattern"], [...path, "path_pattern"]);
      const before = /^(\/[^{}]*)\{\}/.exec(pattern ?? "")?.[1];
      if (before === undefined)
        reader.fault(
          path,
          "the place of the credential in the path is missing",
          'add path_pattern, as "/bot{}/"',
          true,
        );
      return { path: `${before ?? ""}{secret}` };
    }
    case "basic_auth":
      return { basic: "password" };
    default:
      return mode satisfies never;
  }
}

/** Scheme and host; a path behind them can't be honoured by what puts the credential in place. */
function origin(value: unknown, path: readonly string[], reader: Reader): string | undefined {
  const text = typeof value === "string" && URL.canParse(value) ? new URL(value) : undefined;
  if (text === undefined || text.username !== "" || text.search !== "") {
    reader.fault(
      path,
      "this is not the origin of a service",
      'write it as "https://api.example.com"',
    );
    return undefined;
  }
  return text.origin;
}

function endpointRules(value: unknown, path: readonly string[], reader: Reader): readonly string[] {
  if (value === undefined) return ["* /**"];
  if (!Array.isArray(value)) {
    reader.fault(path, "this has to be a list", "write it in brackets");
    return [];
  }
  return value.flatMap((rule: unknown, index) => {
    const fields = reader.object(rule, [...path, String(index)], ["method", "path"]);
    const { method = "*", path: where } = fields;
    if (typeof method === "string" && /^(\*|[A-Z]+)$/.test(method) && typeof where === "string")
      return [`${method} ${where.startsWith("/") ? where : `/${where}`}`];
    reader.fault(
      [...path, String(index)],
      "this is no rule",
      'write { "method": "GET", "path": "/v1/**" }',
    );
    return [];
  });
}

function isMode(value: unknown): value is Mode {
  return MODES.some((mode) => mode === value);
}

function isSecretName(value: unknown): value is string {
  return typeof value === "string" && SECRET_NAME.test(value);
}

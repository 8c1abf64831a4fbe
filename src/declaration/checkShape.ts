import type { z } from "zod";
import { declarationSchema, type Declaration } from "./Declaration.ts";
import { closest } from "./closest.ts";
import type { Fault, Path } from "./Fault.ts";
import { knownKeys } from "./knownKeys.ts";
import { looksLikeSecret } from "./looksLikeSecret.ts";
import { quoteKey } from "./readDeclaration.ts";

/**
 * Checks a value against the schema and fills in defaults. Gives all faults at once; `declaration`
 * is there only when there are none.
 */
export function checkShape(value: unknown): {
  readonly declaration?: Declaration;
  readonly faults: readonly Fault[];
} {
  const secrets = findSecretLooking(value, []);
  const parsed = declarationSchema.safeParse(value, { reportInput: true });
  if (parsed.success) {
    return secrets.length === 0 ? { declaration: parsed.data, faults: [] } : { faults: secrets };
  }
  const shape = parsed.error.issues.flatMap((issue) => toFaults(issue, []));
  // What looks like a secret is reported as that and not once more as an invalid value.
  const reported = new Set(secrets.map(({ path }) => path.join("\0")));
  return { faults: [...secrets, ...shape.filter(({ path }) => !reported.has(path.join("\0")))] };
}

function toFaults(issue: z.core.$ZodIssue, base: Path): Fault[] {
  const path = [
    ...base,
    ...issue.path.map((step) => (typeof step === "symbol" ? String(step) : step)),
  ];
  switch (issue.code) {
    case "unrecognized_keys":
      return issue.keys.map((key) => ({
        code: "unknown-key",
        path: [...path, key],
        atKey: true,
        message: `unknown key ${quoteKey(key)}${inside(path)}`,
        hint: hintForKey(key, path),
      }));
    case "invalid_key":
      return [
        {
          code: "invalid",
          path,
          atKey: true,
          message: `${quoteKey(String(path.at(-1)))} can't be a name here`,
          hint: `a name is ${ruleOf(issue.issues)}`,
        },
      ];
    case "invalid_type":
      if (issue.input === undefined) return [missingFault(path)];
      return [
        { code: "invalid", path, message: `${label(path)} must be ${article(issue.expected)}` },
      ];
    case "invalid_union":
      return issue.input === undefined ? [missingFault(path)] : unionFaults(issue, path);
    case "invalid_value":
      return [
        {
          code: "invalid",
          path,
          message: `${label(path)} must be ${issue.values.map((v) => JSON.stringify(v)).join(" or ")}`,
        },
      ];
    case "invalid_format":
      return [{ code: "invalid", path, message: `${label(path)} must be ${issue.message}` }];
    case "too_small":
      return [
        {
          code: "invalid",
          path,
          message: `${label(path)} must be at least ${issue.minimum}${unit(issue.origin)}`,
        },
      ];
    case "too_big":
      return [
        {
          code: "invalid",
          path,
          message: `${label(path)} must be at most ${issue.maximum}${unit(issue.origin)}`,
        },
      ];
    case "not_multiple_of":
    case "invalid_element":
    case "custom":
      return [{ code: "invalid", path, message: `${label(path)} is not accepted` }];
    default:
      return issue satisfies never;
  }
}

function missingFault(path: Path): Fault {
  const key = String(path.at(-1));
  return {
    code: "missing",
    path,
    message: `${quoteKey(key)} is missing${inside(path.slice(0, -1))}`,
    hint: `add it: ${key}: …`,
  };
}

/**
 * Where a value may have one of several forms, the faults of the form that was evidently meant: the
 * only one of the value's own kind. Of several such, or of none, only the kinds can be told.
 */
function unionFaults(issue: z.core.$ZodIssueInvalidUnion, path: Path): Fault[] {
  const forms = issue.errors.flatMap(flattenForms);
  const meant = forms.filter((issues) => !issues.some(isOfAnotherKind));
  const [first, ...others] = meant;
  if (first !== undefined) {
    const only = others.length === 0 ? first : namedForm(meant, path);
    if (only !== undefined) return only.flatMap((each) => toFaults(each, path));
    const names = [...new Set(meant.flatMap((issues) => issues.flatMap(lackedKey).slice(0, 1)))];
    if (names.length > 0) return [formFault(issue, path, names)];
  }
  const kinds = forms.flatMap(([first]) => {
    if (first?.code === "invalid_type") return [article(first.expected)];
    return first?.code === "invalid_value" ? first.values.map((v) => JSON.stringify(v)) : [];
  });
  const accepted = [...new Set(kinds)].join(" or ");
  return [{ code: "invalid", path, message: `${label(path)} must be ${accepted}` }];
}

/** Of several objects the only one that has no key of another one's, or else all keys of its own. */
function namedForm(
  meant: readonly (readonly z.core.$ZodIssue[])[],
  path: Path,
): readonly z.core.$ZodIssue[] | undefined {
  const known = new Set(knownKeys(path));
  const fitting = meant.filter(
    (issues) =>
      !issues.some(
        (issue) =>
          issue.code === "unrecognized_keys" &&
          issue.path.length === 0 &&
          issue.keys.some((key) => known.has(key)),
      ),
  );
  if (fitting.length === 1) return fitting[0];
  return meant.find((issues) => !issues.some(lacksOwnKey));
}

/** A form's own key that isn't there: another form is meant. */
function lackedKey(issue: z.core.$ZodIssue): string[] {
  return lacksOwnKey(issue) ? [String(issue.path[0])] : [];
}

function lacksOwnKey(issue: z.core.$ZodIssue): boolean {
  return issue.path.length === 1 && issue.code === "invalid_type" && issue.input === undefined;
}

/** No form is named, so the misspelt key is to be told, or that there is none. */
function formFault(
  issue: z.core.$ZodIssueInvalidUnion,
  path: Path,
  names: readonly string[],
): Fault {
  const given = issue.input;
  const [key] = given !== null && typeof given === "object" ? Object.keys(given) : [];
  if (key === undefined) {
    return {
      code: "missing",
      path,
      message: `${label(path)} doesn't say what it is`,
      hint: `add one of: ${names.join(", ")}`,
    };
  }
  const guess = closest(key, names);
  return {
    code: "unknown-key",
    path: [...path, key],
    atKey: true,
    message: `unknown key ${quoteKey(key)}${inside(path)}`,
    hint:
      guess === undefined ? `the keys here are ${names.join(", ")}` : `did you mean "${guess}"?`,
  };
}

/** The issues of each form, a union within the union not being one of its own. */
function flattenForms(issues: readonly z.core.$ZodIssue[]): (readonly z.core.$ZodIssue[])[] {
  const [first] = issues;
  return first?.code === "invalid_union" && first.path.length === 0
    ? first.errors.flatMap(flattenForms)
    : [issues];
}

function isOfAnotherKind(issue: z.core.$ZodIssue): boolean {
  if (issue.path.length > 0) return false;
  return (
    issue.code === "invalid_type" ||
    (issue.code === "invalid_value" && typeof issue.input !== "string")
  );
}

function hintForKey(key: string, path: Path): string {
  // Another form of the same value may have it.
  const known = [...new Set(knownKeys(path))].filter((each) => each !== key);
  const guess = closest(key, known);
  return guess === undefined ? `the keys here are ${known.join(", ")}` : `did you mean "${guess}"?`;
}

function ruleOf(issues: readonly { readonly message: string }[]): string {
  return issues[0]?.message ?? "lower-case letters, digits and hyphens";
}

function unit(origin: string): string {
  if (origin === "string") return " characters long";
  return origin === "array" ? " items long" : "";
}

function article(expected: string): string {
  const words: Record<string, string> = {
    int: "a whole number",
    record: "an object",
    object: "an object",
    array: "a list",
  };
  return words[expected] ?? `a ${expected}`;
}

function label(path: Path): string {
  const last = path.at(-1);
  if (last === undefined) return "the declaration";
  return typeof last === "number"
    ? `item ${last + 1} of ${quoteKey(String(path.at(-2)))}`
    : quoteKey(last);
}

function inside(path: Path): string {
  return path.length === 0 ? "" : ` in ${label(path)}`;
}

function findSecretLooking(value: unknown, path: Path): Fault[] {
  if (typeof value === "string") {
    return looksLikeSecret(value) ? [secretFault(path, false)] : [];
  }
  if (value === null || typeof value !== "object") return [];
  return Object.entries(value).flatMap(([key, child]) => {
    const here = [...path, Array.isArray(value) ? Number(key) : key];
    return [
      ...(looksLikeSecret(key) ? [secretFault(here, true)] : []),
      ...findSecretLooking(child, here),
    ];
  });
}

function secretFault(path: Path, atKey: boolean): Fault {
  return {
    code: "looks-like-a-secret",
    path,
    atKey,
    message: "this looks like a secret, which has no place in a declaration",
    hint: "store it with: seawall secret set NAME, then name it here; and have it replaced, as files like this get shared",
  };
}

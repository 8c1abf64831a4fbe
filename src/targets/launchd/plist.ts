import { TargetError } from "../TargetError.ts";

/** What a property list can hold here. */
export type PlistValue =
  string | number | boolean | readonly PlistValue[] | { readonly [key: string]: PlistValue };

/**
 * A property list as XML (plist(5)), keys sorted.
 *
 * @throws TargetError `unprintable` for what XML 1.0 can't carry: control characters and lone surrogates.
 */
export function plist(value: PlistValue): string {
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">',
    '<plist version="1.0">',
    ...lines(value, ""),
    "</plist>",
    "",
  ].join("\n");
}

function lines(value: PlistValue, indent: string): string[] {
  const more = `${indent}  `;
  if (typeof value === "string") return [`${indent}<string>${escape(value)}</string>`];
  if (typeof value === "boolean") return [`${indent}<${value ? "true" : "false"}/>`];
  if (typeof value === "number") {
    if (!Number.isSafeInteger(value))
      throw new TargetError("unprintable", `${value} is no integer`);
    return [`${indent}<integer>${value}</integer>`];
  }
  if (isList(value))
    return [`${indent}<array>`, ...value.flatMap((each) => lines(each, more)), `${indent}</array>`];
  const entries = Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1));
  return [
    `${indent}<dict>`,
    ...entries.flatMap(([key, each]) => [`${more}<key>${escape(key)}</key>`, ...lines(each, more)]),
    `${indent}</dict>`,
  ];
}

function isList(value: PlistValue): value is readonly PlistValue[] {
  return Array.isArray(value);
}

function escape(text: string): string {
  // XML 1.0, section 2.2; a carriage return would be read as a line feed (section 2.11).
  // oxlint-disable-next-line no-control-regex -- control characters are what this is about
  if (/[\u0000-\u0008\u000b-\u001f\u007f\ufffe\uffff]/u.test(text) || !text.isWellFormed())
    throw new TargetError("unprintable", "a text holds characters that a property list can't");
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

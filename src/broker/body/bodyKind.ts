import { valuesOf, type Header } from "../match.ts";
import { isUtf8Type, readMediaType, type MediaType } from "./mediaType.ts";

export type BodyKind = "json" | "form" | "multipart" | "other";

/**
 * What a body is by its Content-Type; `undefined` when there is none, or several, or one that can be
 * read in two ways or names a character set other than UTF-8 for what is text.
 */
export function bodyKind(headers: readonly Header[]): BodyKind | undefined {
  const media = mediaTypeOf(headers);
  if (media === undefined) return undefined;
  const { type } = media;
  let kind: BodyKind = "other";
  if (type === "application/json" || type === "text/json" || type.endsWith("+json")) kind = "json";
  else if (type === "application/x-www-form-urlencoded") kind = "form";
  else if (type === "multipart/form-data") kind = "multipart";
  return kind === "other" || isUtf8Type(media) ? kind : undefined;
}

/** The one Content-Type of a call. */
export function mediaTypeOf(headers: readonly Header[]): MediaType | undefined {
  const values = valuesOf(headers, "content-type");
  const [value] = values;
  return values.length === 1 && value !== undefined ? readMediaType(value) : undefined;
}

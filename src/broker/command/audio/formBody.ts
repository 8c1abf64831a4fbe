import { randomBytes } from "node:crypto";

export interface FormFile {
  readonly name: string;
  readonly fileName: string;
  readonly mediaType: string;
  readonly bytes: Uint8Array;
}

/**
 * A multipart/form-data body (RFC 7578). Names are ours, values anybody's: none of them can contain the
 * boundary, which is random.
 */
export function formBody(
  fields: Readonly<Record<string, string>>,
  file: FormFile,
): { readonly contentType: string; readonly body: Buffer } {
  const boundary = `seawall-${randomBytes(18).toString("hex")}`;
  const part = (head: string): string => `--${boundary}\r\ncontent-disposition: form-data; ${head}`;
  const texts = Object.entries(fields).map(
    ([name, value]) => `${part(`name="${name}"`)}\r\n\r\n${value}\r\n`,
  );
  const fileHead = `${part(`name="${file.name}"; filename="${file.fileName}"`)}\r\ncontent-type: ${file.mediaType}\r\n\r\n`;
  return {
    contentType: `multipart/form-data; boundary=${boundary}`,
    body: Buffer.concat([
      Buffer.from(texts.join("") + fileHead),
      file.bytes,
      Buffer.from(`\r\n--${boundary}--\r\n`),
    ]),
  };
}

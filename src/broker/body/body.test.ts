import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import type { Json } from "../../plan/index.ts";
import { encodeForForm, readForm } from "./form.ts";
import { nodeAt, readJson, replaceInJson, type JsonNode } from "./json.ts";
import { readMultipart } from "./multipart.ts";

function toValue(node: JsonNode): unknown {
  if (node.kind === "scalar") return node.value;
  if (node.kind === "array") return node.items.map(toValue);
  // No plain object: `__proto__` is a key like any other.
  return Object.fromEntries([...node.members].map(([key, each]) => [key, toValue(each)]));
}

const json = (text: string): JsonNode | undefined => readJson(Buffer.from(text));

test("readJson() agrees with JSON.parse on every value, however it is spaced", () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 6 }), fc.constantFrom(0, 1, "\t"), (text, indent) => {
      const spaced = JSON.stringify(JSON.parse(text), undefined, indent);
      const node = json(spaced);
      assert.ok(node !== undefined);
      assert.deepEqual(toValue(node), JSON.parse(spaced));
      assert.equal(Buffer.from(spaced).subarray(node.start, node.end).toString(), spaced);
    }),
    { numRuns: 500 },
  );
});

test("readJson() accepts nothing that JSON.parse refuses", () => {
  const soup = fc.string({
    unit: fc.constantFrom(
      ...'{}[]",:\\u0d8+-.eE19 \n\ttruefalsn\u0001'.split(""),
      "null",
      "\\u00e9",
    ),
    maxLength: 14,
  });
  fc.assert(
    fc.property(soup, (text) => {
      const node = json(text);
      let parsed: unknown;
      try {
        parsed = JSON.parse(text);
      } catch {
        assert.equal(node, undefined);
        return;
      }
      if (node !== undefined) assert.deepEqual(toValue(node), parsed);
    }),
    { numRuns: 20_000 },
  );
});

const unreadable: readonly [string, string | Buffer][] = [
  ["a key twice", '{"a":1,"a":2}'],
  ["a key twice, once escaped", '{"token":1,"t\\u006fken":2}'],
  ["a key twice, deep inside", '[{"x":{"b":{},"b":{}}}]'],
  ["a NUL in a key", '{"token\\u0000":1}'],
  ["a byte order mark", "\ufeff{}"],
  ["half of a surrogate pair", '"\\ud83d"'],
  ["half of a surrogate pair in a key", '{"\\ude00":1}'],
  ["a surrogate pair the wrong way round", '"\\ude00\\ud83d"'],
  ["65 levels", `${"[".repeat(65)}${"]".repeat(65)}`],
  ["100001 values", `[${"0,".repeat(99_999)}0]`],
  ["100000 levels", "[".repeat(100_000)],
  ["invalid UTF-8", Buffer.from([0x22, 0xc3, 0x28, 0x22])],
  ["an overlong form", Buffer.from([0x22, 0xc0, 0xaf, 0x22])],
  ["an encoded surrogate", Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22])],
  ["UTF-16", Buffer.from('{"a":1}', "utf16le")],
  ["a raw line feed in a string", '"a\nb"'],
  ["a comment", "{}//"],
  ["a comma at the end", "[1,]"],
  ["two values", "{} {}"],
  ["nothing", ""],
  ["single quotes", "{'a':1}"],
  ["NaN", "NaN"],
  ["a number with a zero before", "01"],
  ["a form feed as a blank", "\f1"],
  ["a no-break space as a blank", "\u00a01"],
  ["an escape that JSON lacks", '"\\x41"'],
  ["a string without end", '"abc\\"'],
];
for (const [what, text] of unreadable) {
  test(`readJson() refuses ${what}`, () => {
    assert.equal(readJson(Buffer.from(text)), undefined);
  });
}

test("readJson() reads 64 levels, keys of every kind and pairs of surrogates", () => {
  assert.ok(json(`${"[".repeat(64)}${"]".repeat(64)}`));
  const node = json('{"__proto__":1,"constructor":{},"":"\\ud83d\\ude00","hasOwnProperty":null}');
  assert.ok(node?.kind === "object");
  assert.deepEqual([...node.members.keys()], ["__proto__", "constructor", "", "hasOwnProperty"]);
});

test("nodeAt() follows a pointer as RFC 6901 section 5 shows", () => {
  const text =
    '{"foo":["bar","baz"],"":0,"a/b":1,"c%d":2,"e^f":3,"g|h":4,"i\\\\j":5,"k\\"l":6," ":7,"m~n":8}';
  const root = json(text);
  assert.ok(root);
  const at = (pointer: string): unknown => {
    const node = nodeAt(root, pointer);
    return node === undefined ? "nothing" : toValue(node);
  };
  assert.deepEqual(at(""), JSON.parse(text));
  assert.deepEqual(at("/foo"), ["bar", "baz"]);
  for (const [pointer, value] of [
    ["/foo/0", "bar"],
    ["/", 0],
    ["/a~1b", 1],
    ["/c%d", 2],
    ["/e^f", 3],
    ["/g|h", 4],
    ["/i\\j", 5],
    ['/k"l', 6],
    ["/ ", 7],
    ["/m~0n", 8],
    ["/foo/01", "nothing"],
    ["/foo/-", "nothing"],
    ["/foo/2", "nothing"],
    ["/foo/length", "nothing"],
    ["/__proto__", "nothing"],
    ["/foo/0/x", "nothing"],
  ] as const)
    assert.equal(at(pointer), value, pointer);
  assert.throws(() => nodeAt(root, "foo"), TypeError);
});

test("replaceInJson() changes the named values and keeps every other byte", () => {
  const text = '{ "é" : [1, "two"],\n "token":"old" , "n":1.0e0 }';
  const root = json(text);
  const token = root && nodeAt(root, "/token");
  const two = root && nodeAt(root, "/é/1");
  assert.ok(token && two);
  const value = 'a"b\\c\u0001';
  const out = replaceInJson(Buffer.from(text), [
    { node: token, value },
    { node: two, value: { deep: [true] } },
  ]).toString();
  assert.equal(
    out,
    `{ "é" : [1, {"deep":[true]}],\n "token":${JSON.stringify(value)} , "n":1.0e0 }`,
  );
  assert.throws(
    () =>
      replaceInJson(Buffer.from(text), [
        { node: token, value: 1 },
        { node: token, value: 2 },
      ]),
    TypeError,
  );
});

test("replaceInJson() gives what setting the value in the parsed text gives", () => {
  fc.assert(
    fc.property(
      fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 })),
      fc.string(),
      fc.jsonValue({ maxDepth: 2 }),
      (object, key, value) => {
        const text = JSON.stringify({ ...object, [key]: "here" });
        const root = json(text);
        const node = root && nodeAt(root, `/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`);
        fc.pre(root !== undefined && key !== "__proto__");
        assert.ok(node);
        const out = replaceInJson(Buffer.from(text), [{ node, value: value as Json }]);
        assert.deepEqual(JSON.parse(out.toString()), {
          ...(JSON.parse(text) as object),
          [key]: JSON.parse(JSON.stringify(value)) as unknown,
        });
      },
    ),
    { numRuns: 300 },
  );
});

test("readForm() agrees with URLSearchParams wherever it reads at all", () => {
  const soup = fc.string({
    unit: fc.constantFrom(..."ab=&%+2fF0c3;\u00e9 \n".split(""), "%20", "%c3%a9", "%ff", "%00"),
    maxLength: 16,
  });
  fc.assert(
    fc.property(soup, (text) => {
      const fields = readForm(Buffer.from(text));
      if (fields === undefined) return;
      assert.deepEqual(
        fields.map(([name, value]) => [name, value]),
        [...new URLSearchParams(text)],
      );
    }),
    { numRuns: 20_000 },
  );
});

test("readForm() reads whatever URLSearchParams writes, and tells where each value stands", () => {
  const word = fc.string({ unit: "grapheme" });
  fc.assert(
    fc.property(fc.array(fc.tuple(word, word)), (pairs) => {
      fc.pre(pairs.every(([name]) => !name.includes("\0")));
      const text = new URLSearchParams(pairs).toString();
      const fields = readForm(Buffer.from(text));
      assert.deepEqual(
        fields?.map(([name, value]) => [name, value]),
        pairs,
      );
      for (const [, value, start, end] of fields ?? [])
        assert.equal(new URLSearchParams(`x=${text.slice(start, end)}`).get("x"), value);
    }),
    { numRuns: 500 },
  );
});

for (const [what, text] of [
  ["a percent sign alone", "a=100%"],
  ["a percent sign with one digit", "a=%2"],
  ["a percent sign with no digit", "a=%zz"],
  ["bytes that aren't UTF-8 once decoded", "a=%ff"],
  ["an overlong form once decoded", "a=%c0%af"],
  ["bytes that aren't UTF-8", Buffer.from([0x61, 0x3d, 0xff])],
  ["a semicolon", "a=1;b=2"],
  ["a raw blank", "a=1 2"],
  ["a line end", "a=1\r\n"],
  ["a NUL in a name", "a%00b=1"],
  ["a byte order mark", "\ufeffa=1"],
  ["10001 fields", "a&".repeat(10_000)],
] as const) {
  test(`readForm() refuses ${what}`, () => {
    assert.equal(readForm(Buffer.from(text)), undefined);
  });
}

test("readForm() reads an empty body, fields without a value and empty fields", () => {
  assert.deepEqual(readForm(Buffer.from("")), []);
  assert.deepEqual(readForm(Buffer.from("a&&b=&=c")), [
    ["a", "", 1, 1],
    ["b", "", 5, 5],
    ["", "c", 7, 8],
  ]);
});

test("encodeForForm() is undone by URLSearchParams", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), (value) => {
      assert.equal(new URLSearchParams(`x=${encodeForForm(value)}`).get("x"), value);
    }),
  );
});

const part = (disposition: string, content: string, more = ""): string =>
  `--B\r\nContent-Disposition: ${disposition}\r\n${more}\r\n${content}\r\n`;
const parts = (text: string | Buffer, boundary = "B") => {
  const bytes = Buffer.from(text);
  return readMultipart(bytes, boundary)?.map(({ start, end, ...rest }) => ({
    ...rest,
    content: bytes.subarray(start, end).toString(),
  }));
};

test("readMultipart() reads parts as they were sent", () => {
  assert.deepEqual(
    parts(
      `${part('form-data; name="a"', "one")}${part('form-data; name=b; filename="ü.txt"', "", "Content-Type: Text/Plain; charset=utf-8\r\n")}${part('FORM-DATA;name="c d"', "\r\n--\r\n-- B")}--B--\r\n`,
    ),
    [
      { name: "a", content: "one" },
      { name: "b", filename: "ü.txt", type: "text/plain", content: "" },
      { name: "c d", content: "\r\n--\r\n-- B" },
    ],
  );
  assert.deepEqual(parts("--B--"), []);
});

test("readMultipart() reads what fetch() sends of a FormData", async () => {
  const word = fc.string({ unit: "grapheme", maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(word, word, fc.boolean())), async (fields) => {
      const form = new FormData();
      fc.pre(fields.every(([name]) => name !== "" && !/[\p{Cc}"\\]/u.test(name)));
      for (const [name, value, file] of fields)
        if (file) form.append(name, new Blob([value]), "file");
        else form.append(name, value);
      const request = new Request("http://x.test", { method: "POST", body: form });
      const boundary = /boundary=(.*)/.exec(request.headers.get("content-type") ?? "")?.[1];
      const bytes = Buffer.from(await request.arrayBuffer());
      assert.deepEqual(
        readMultipart(bytes, boundary ?? "")?.map(({ name, start, end }) => [
          name,
          bytes.subarray(start, end).toString(),
        ]),
        // FormData itself turns line ends into CR LF as it is sent.
        fields.map(([name, value, file]) => [
          name,
          file ? value : value.replaceAll(/\r\n|\r|\n/g, "\r\n"),
        ]),
      );
    }),
    { numRuns: 200 },
  );
});

const good = part('form-data; name="a"', "one");
for (const [what, text, boundary] of [
  ["no final boundary", good],
  ["something before the first boundary", `x\r\n${good}--B--`],
  ["an empty line before the first boundary", `\r\n${good}--B--`],
  ["something after the last boundary", `${good}--B--\r\nx`],
  ["a further part after the last boundary", `${good}--B--\r\n${good}--B--`],
  ["line feeds alone", `${good}--B--`.replaceAll("\r\n", "\n")],
  ["a line feed alone before a boundary", `${part("form-data; name=a", "one\n--B\nx")}--B--`],
  ["a carriage return alone before a boundary", `${part("form-data; name=a", "1\r--B")}--B--`],
  ["a longer word that begins with the boundary", `${part("form-data; name=a", "1\r\n--BC")}--B--`],
  ["a longer word that begins with the last boundary", `${good}--B--C`],
  ["blanks after the boundary", `${good.replace("--B\r\n", "--B \r\n")}--B--`],
  ["a part without a name", `${part("form-data", "one")}--B--`],
  ["a part with an empty name", `${part('form-data; name=""', "one")}--B--`],
  ["a part without headers", `--B\r\n\r\none\r\n--B--`],
  ["a part with two names", `${part('form-data; name="a"; name="b"', "one")}--B--`],
  [
    "a part with a name in another encoding",
    `${part("form-data; name=a; name*=UTF-8''b", "")}--B--`,
  ],
  ["a quote with a backslash", `${part('form-data; name="a\\"; filename="; name="b"', "")}--B--`],
  ["another disposition", `${part('attachment; name="a"', "one")}--B--`],
  [
    "a disposition twice",
    `${part("form-data; name=a", "", "Content-Disposition: form-data; name=b\r\n")}--B--`,
  ],
  ["a folded header", `${part("form-data;\r\n name=a", "one")}--B--`],
  ["a bare line feed in a header", `${part("form-data; name=a\nX: y", "one")}--B--`],
  [
    "parts within a part",
    `${part("form-data; name=a", "", "Content-Type: multipart/mixed; boundary=C\r\n")}--B--`,
  ],
  [
    "a transfer encoding",
    `${part("form-data; name=a", "b25l", "Content-Transfer-Encoding: base64\r\n")}--B--`,
  ],
  [
    "another character set",
    `${part("form-data; name=a", "", "Content-Type: text/plain; charset=utf-7\r\n")}--B--`,
  ],
  ["a part that names the character set", `${part("form-data; name=_charset_", "utf-7")}--B--`],
  ["no boundary", `${good}--B--`, ""],
  ["a boundary of other characters", `${good}--B--`, "B\r\n"],
] as const) {
  test(`readMultipart() refuses ${what}`, () => {
    assert.equal(parts(text, boundary ?? "B"), undefined);
  });
}

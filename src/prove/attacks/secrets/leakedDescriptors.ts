import type { Attack } from "../../Attack.ts";
import { held, through } from "../../inside/findings.ts";

/** What Node opens for itself. */
const OWN = /^(anon_inode:|pipe:|\/dev\/(null|urandom)$)/;

export const leakedDescriptors: Attack = {
  name: "leaked-descriptors",
  group: "secrets",
  tries: "use files and sockets that were left open for it by mistake",
  run: ({ descriptors }) => {
    const leaked = descriptors.filter((name) => !OWN.test(name));
    if (leaked.length > 0) return through(`left open: ${leaked.join(", ")}`);
    return held("closed descriptors", "nothing but its own was open from the beginning");
  },
};

export { takeLock, type Lock } from "./takeLock.ts";
export { syncFolder, writeFileAtomic } from "./writeFileAtomic.ts";

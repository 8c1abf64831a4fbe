export { reasonOf } from "./reasonOf.ts";
export { removeFolder } from "./removeFolder.ts";
export { stageFile, type StagedFile } from "./stageFile.ts";
export { takeLock, type Lock } from "./takeLock.ts";
export { syncFolder, writeFileAtomic } from "./writeFileAtomic.ts";

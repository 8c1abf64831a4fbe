export { closest } from "./closest.ts";
export {
  declarationSchema,
  isHostName,
  type Declaration,
  type DeclaredBot,
  type DeclaredCredential,
  type DeclaredGrant,
  type DeclaredService,
} from "./Declaration.ts";
export { DeclarationError, locateFaults, type LocatedFault } from "./DeclarationError.ts";
export type { Fault, FaultCode, Path } from "./Fault.ts";
export { readDeclaration, type Position, type Positions } from "./readDeclaration.ts";
export { checkShape } from "./checkShape.ts";
export { jsonSchema } from "./jsonSchema.ts";

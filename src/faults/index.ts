export { SeawallError, type ErrorDetails, type ExitCode } from "./SeawallError.ts";

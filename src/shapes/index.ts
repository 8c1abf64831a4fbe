export { ShapeFinder, type Shape } from "./ShapeFinder.ts";

import { calculate } from "./calculation.ts";

// Piscina calls the default export.
export default calculate;

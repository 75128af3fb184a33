import { invalidArgument } from "@headwater/errors";

/** @throws HeadwaterError INVALID_ARGUMENT, HW_TEMPERATURE_INVALID */
export function checkTemperature(temperature: number | undefined): number | undefined {
  if (temperature === undefined || (temperature >= 0 && temperature <= 2)) return temperature;
  throw invalidArgument(
    "HW_TEMPERATURE_INVALID",
    "The temperature is not from 0 to 2.",
    "Send 0 to 2, or none.",
  );
}

/**
 * A bound of which 0 says "as usual".
 *
 * @throws HeadwaterError INVALID_ARGUMENT, HW_LIMIT_INVALID
 */
export function checkLimit(name: string, value: number, usual: number, most: number): number {
  if (value === 0) return usual;
  if (value > 0 && value <= most) return value;
  throw invalidArgument(
    "HW_LIMIT_INVALID",
    value > most ? `${name} is ${value}, more than ${most}.` : `${name} is no positive number.`,
    `Send 1 to ${most}, or 0.`,
  );
}

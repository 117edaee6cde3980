// Bots in words.

const TYPES: Record<string, string> = {
  suspicious_activity: "suspicious",
  account_takeover: "account takeover",
  security_crawler: "scanner",
  scraping: "scraper",
  resource_consumption: "heavy use",
};

/** `account_takeover` → `account takeover`. */
export function botName(type: string): string {
  return TYPES[type] ?? type.replaceAll("_", " ");
}

/** `credential_stuffing` → `Credential stuffing`. */
export function detectorName(detector: string): string {
  const words = detector.replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** All types the API names, for filters. */
export const BOT_TYPES = Object.keys(TYPES);

const LIMITS: Record<string, string> = {
  cold_start: "until one is learnt",
  learnt: "learnt here",
  profile: "set by the profile",
  model: "even odds",
};

/** Where a limit comes from. */
export function limitOrigin(from: string): string {
  return LIMITS[from] ?? from.replaceAll("_", " ");
}

/** A measured number: whole from 10 on and where it is one, else two digits; as the service says it in words. */
export function measured(value: number): string {
  const digits = value >= 10 || Math.abs(value - Math.round(value)) < 0.005 ? 0 : 2;
  return value.toLocaleString("en-US", { maximumFractionDigits: digits });
}

/** The sentence without the detector's name in front, which stands beside it. */
export function withoutName(reason: string): string {
  return reason.replace(/^[^:]+:\s*/, "");
}

// Which list, as what: as a path of the API, and as a line for a shell.

export const FORMATS = [
  ["csv", "CSV"],
  ["ndjson", "NDJSON"],
  ["parquet", "Parquet"],
] as const;
export type Format = (typeof FORMATS)[number][0];

export interface Wanted {
  /** A list of `/v1/export`. */
  list: string;
  format: Format;
  q: string | undefined;
}

export function exportUrl({ list, format, q }: Wanted): string {
  const query = new URLSearchParams({ format, ...(q !== undefined && { q }) });
  return `/v1/export/${list}?${query}`;
}

/** The same as a line for a shell. */
export function command({ list, format, q }: Wanted): string {
  const where = q === undefined ? "" : ` --where '${q.replaceAll("'", `'\\''`)}'`;
  return `throughline export --what ${list}${where} --format ${format} --output ${list}.${format}`;
}

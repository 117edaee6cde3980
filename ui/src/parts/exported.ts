// A list as a file: asked for with the token, kept by the browser until all of it is there.
import { ApiProblem, isProblem, UNREACHABLE } from "../api/problem";
import { refused, token } from "../api/tokens";
import { exportUrl, type Wanted } from "./exportWords";

export interface Exported {
  file: Blob;
  /** Not all requests could be looked at. */
  partial: boolean;
}

/** All of the list; an answer that breaks off is not everything, and fails. */
export async function exported(wanted: Wanted, signal: AbortSignal): Promise<Exported> {
  const given = token("read");
  const headers = given === null ? {} : { authorization: `Bearer ${given}` };
  const answer = await fetch(exportUrl(wanted), { headers, signal }).catch((error: unknown) => {
    throw signal.aborted ? error : new ApiProblem(UNREACHABLE);
  });
  if (answer.status === 401) refused("read");
  if (!answer.ok) {
    const problem: unknown = await answer.json().catch(() => null);
    throw new ApiProblem(isProblem(problem) ? problem : UNREACHABLE);
  }
  const partial = answer.headers.get("throughline-partial") === "true";
  const file = await answer.blob().catch((error: unknown) => {
    throw signal.aborted ? error : new ApiProblem(BROKEN);
  });
  return { file, partial };
}

const BROKEN = {
  type: "urn:throughline:problem:export-ended",
  title: "The export broke off",
  status: 0,
  detail: "What came of it is not all of the list, so nothing was kept.",
  remedy: "Try again, with a shorter time or a filter; the service's log says why it ended.",
};

/** Hands a file to the person, under a name. */
export function save(file: Blob, name: string) {
  const url = URL.createObjectURL(file);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  // The browser has begun to read it by then.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

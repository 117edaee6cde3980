// How each application is watched for bots: which profile of the policy holds for it.
import { isCollection, type Document } from "yaml";

export interface Profile {
  applications?: string[];
  sensitivity?: string;
  off?: string[];
  limits?: Record<string, number>;
  exceptions?: Record<string, string>[];
  good_bots?: string[];
}

/** The first profile that names the application, else the first that names none; -1 without. */
export function profileOf(profiles: Profile[], application: string): number {
  const named = profiles.findIndex((profile) => profile.applications?.includes(application));
  return named >= 0 ? named : profiles.findIndex((profile) => !profile.applications?.length);
}

export function profilesIn(document: Document): Profile[] {
  const { detection } = (document.toJS() ?? {}) as { detection?: Profile[] | null };
  return detection ?? [];
}

/** Sets a field of the application's profile, which is made where there is none; null removes it. */
export function setField(
  document: Document,
  application: string,
  field: keyof Profile,
  value: unknown,
) {
  let at = profileOf(profilesIn(document), application);
  if (at < 0) {
    const made = document.createNode([{ applications: [application] }]);
    if (isCollection(document.get("detection"))) document.addIn(["detection"], made.items[0]);
    else document.set("detection", made);
    at = profilesIn(document).length - 1;
  }
  const path = ["detection", at, field];
  const isNothing = value === null || (Array.isArray(value) && value.length === 0);
  if (isNothing) document.deleteIn(path);
  else
    document.setIn(
      path,
      document.createNode(value, { flow: Array.isArray(value) && field !== "exceptions" }),
    );
}

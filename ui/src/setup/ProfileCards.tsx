// The profile of each application, to be changed in the text of the policy that is being written.
import { useQuery } from "@tanstack/react-query";
import { Link } from "../app/Link";
import { usePlace } from "../app/router";
import { Card } from "../parts/Card";
import { Empty } from "../parts/State";
import { statusQuery } from "../system/data";
import { Detectors } from "./Detectors";
import { Exceptions } from "./Exceptions";
import { profileOf, profilesIn, setField, type Profile } from "./profiles";
import style from "./Setup.module.css";
import type { Editing } from "./useDraft";

export function ProfileCards({ draft: { document, change } }: { draft: Editing }) {
  const status = useQuery(statusQuery);
  const { query } = usePlace();
  if (!document) {
    return (
      <Empty
        title="The text of the policy is no YAML now"
        actions={
          <Link className="button main" to="/setup/policy">
            Correct it
          </Link>
        }
      />
    );
  }
  const known = status.data?.detection.applications ?? [];
  const named = (document.toJS() as { applications?: { name: string }[] } | null)?.applications;
  const applications = [
    ...new Set([
      ...known.map(({ application }) => application),
      ...(named ?? []).map(({ name }) => name),
    ]),
  ];
  const profiles = profilesIn(document);
  if (applications.length === 0) {
    return (
      <Empty title="No application is known yet">
        <p>Applications come with the policy, and with the first records.</p>
      </Empty>
    );
  }
  return applications.map((application) => (
    <ProfileCard
      key={application}
      application={application}
      profile={profiles[profileOf(profiles, application)] ?? {}}
      isLearning={known.find((one) => one.application === application)?.state === "learning"}
      wanted={query.get("app") === application ? query : null}
      onSet={(field, value) => change((changed) => setField(changed, application, field, value))}
    />
  ));
}

const SENSITIVITIES = ["low", "medium", "high"];

interface CardProps {
  application: string;
  profile: Profile;
  isLearning: boolean;
  /** An exception that someone wants to add. */
  wanted: URLSearchParams | null;
  onSet: (field: keyof Profile, value: unknown) => void;
}

function ProfileCard({ application, profile, isLearning, wanted, onSet }: CardProps) {
  const others = (profile.applications ?? []).filter((name) => name !== application);
  return (
    <Card
      title={application}
      note={
        isLearning
          ? "still being learnt: limits are those for the start"
          : "limits are learnt from its own traffic"
      }
      actions={
        <label className={style.inline}>
          Sensitivity
          <select
            className="field"
            value={profile.sensitivity ?? "medium"}
            onChange={(event) => onSet("sensitivity", event.target.value)}
          >
            {SENSITIVITIES.map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </label>
      }
    >
      {others.length > 0 && <p className="soft">The same holds for {others.join(", ")}.</p>}
      <div className={style.pair}>
        <Exceptions
          list={profile.exceptions ?? []}
          wanted={wanted}
          onSet={(list) => onSet("exceptions", list)}
        />
        <Detectors profile={profile} onSet={onSet} />
      </div>
    </Card>
  );
}

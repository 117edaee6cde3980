// How each application is watched for bots: sensitivity, detectors, limits, and whom to leave alone.
import { useQuery } from "@tanstack/react-query";
import { Link } from "../app/Link";
import { usePlace } from "../app/router";
import type { CurrentPolicy } from "../api/schema";
import { Card } from "../parts/Card";
import { Bones, Empty, Failed, Notice } from "../parts/State";
import { statusQuery } from "../system/data";
import { policyQuery } from "./data";
import { Detectors } from "./Detectors";
import { Exceptions } from "./Exceptions";
import { profileOf, profilesIn, setField, type Profile } from "./profiles";
import style from "./Setup.module.css";
import { useDraft } from "./useDraft";

export function DetectionTab() {
  const policy = useQuery(policyQuery);
  if (policy.isError && !policy.data) {
    return <Failed error={policy.error} retry={() => void policy.refetch()} />;
  }
  if (!policy.data) return <Bones rows={10} label="Profiles are loading" />;
  return <Profiles key={policy.data.version} current={policy.data} />;
}

function Profiles({ current }: { current: CurrentPolicy }) {
  const status = useQuery(statusQuery);
  const { query } = usePlace();
  const { document, isChanged, change } = useDraft(current);
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
  const known = status.data?.detection.applications.map(({ application }) => application) ?? [];
  const named = (document.toJS() as { applications?: { name: string }[] } | null)?.applications;
  const applications = [...new Set([...known, ...(named ?? []).map(({ name }) => name)])];
  const profiles = profilesIn(document);
  return (
    <div className={style.list}>
      {isChanged && (
        <Notice tone="warn">
          Not in use yet: what you changed is in the text of the policy.{" "}
          <Link className="button" to="/setup/policy">
            See it and make it the policy
          </Link>
        </Notice>
      )}
      {applications.length === 0 && (
        <Empty title="No application is known yet">
          <p>Applications come with the policy, and with the first records.</p>
        </Empty>
      )}
      {applications.map((application) => {
        const at = profileOf(profiles, application);
        return (
          <ProfileCard
            key={application}
            application={application}
            profile={profiles[at] ?? {}}
            isLearning={
              status.data?.detection.applications.find((one) => one.application === application)
                ?.state === "learning"
            }
            wanted={query.get("app") === application ? query : null}
            onSet={(field, value) =>
              change((changed) => setField(changed, application, field, value))
            }
          />
        );
      })}
    </div>
  );
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

// The frame around every page: navigation, sign-in, help.
import { useQuery } from "@tanstack/react-query";
import { Suspense, useEffect, useState } from "react";
import { useTokens } from "../api/tokens";
import { Bones, Empty } from "../parts/State";
import { statusQuery } from "../system/data";
import { TOUR } from "../tour/step";
import { TourHost } from "../tour/TourHost";
import style from "./App.module.css";
import { Boundary } from "./Boundary";
import { Help } from "./Help";
import { useKeys } from "./keys";
import { Link } from "./Link";
import { Nav } from "./Nav";
import { pageAt } from "./pages";
import { go, usePlace } from "./router";
import { SignIn } from "./SignIn";

export function App() {
  const { path } = usePlace();
  const { signedOut } = useTokens();
  const [isHelp, setHelp] = useState(false);
  useKeys("Everywhere", [
    { key: "?", does: "these keys", run: () => setHelp(true) },
    { key: "t", does: "the tour: one address, one rule", run: () => go(TOUR) },
    { key: "1", does: "Sessions", run: () => go("/sessions") },
    { key: "2", does: "Bots", run: () => go("/bots") },
    { key: "3", does: "Endpoints", run: () => go("/endpoints") },
    { key: "4", does: "Setup", run: () => go("/setup") },
    { key: "5", does: "System", run: () => go("/system") },
  ]);
  return (
    <div className={style.frame}>
      <a className={style.skip} href="#page">
        To the page
      </a>
      <Nav path={path} onHelp={() => setHelp(true)} />
      <div className={style.beside}>
        <main id="page" className={style.main} tabIndex={-1}>
          <Boundary key={path}>
            <Suspense fallback={<Bones rows={12} label="The page is loading" />}>
              {signedOut ? <SignIn /> : <Page path={path} />}
            </Suspense>
          </Boundary>
        </main>
        {!signedOut && <TourHost />}
      </div>
      {isHelp && <Help onClose={() => setHelp(false)} />}
    </div>
  );
}

function Page({ path }: { path: string }) {
  const found = pageAt(path);
  const title = found?.page.title;
  useEffect(() => {
    document.title = title === undefined ? "Throughline" : `${title} · Throughline`;
  }, [title]);
  if (path === "/") return <Start />;
  if (found) {
    const { component: Component } = found.page;
    return <Component params={found.params} />;
  }
  return (
    <Empty
      title="There is no such page"
      actions={
        <Link className="button main" to="/sessions">
          Sessions
        </Link>
      }
    >
      <p className="mono">{path}</p>
    </Empty>
  );
}

/** Who comes for the first time connects an Envoy, everyone else wants the sessions. */
function Start() {
  const status = useQuery(statusQuery);
  const records = status.data?.store.records;
  const to = status.isPending ? null : records === 0 ? "/system/connect" : "/sessions";
  useEffect(() => {
    if (to !== null) go(to, { replace: true });
  }, [to]);
  return <Bones rows={12} label="The page is loading" />;
}

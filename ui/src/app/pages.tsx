// Every page: one line each. A page's code is loaded when it is opened; the first page comes at once.
import { lazy, type ComponentType } from "react";
import SessionsPage from "../sessions/SessionsPage";
import { matches } from "./match";

export interface PageProps {
  /** What stands at `:name` in the path. */
  params: Record<string, string>;
}

interface Page {
  /** `:name` takes one segment. */
  path: string;
  title: string;
  component: ComponentType<PageProps>;
}

const BotsPage = lazy(() => import("../bots/BotsPage"));
const EndpointsPage = lazy(() => import("../endpoints/EndpointsPage"));

const PAGES: readonly Page[] = [
  { path: "/sessions", title: "Sessions", component: SessionsPage },
  {
    path: "/sessions/:id",
    title: "Session",
    component: lazy(() => import("../session/SessionPage")),
  },
  {
    path: "/sessions/:id/compare/:other",
    title: "Two sessions",
    component: lazy(() => import("../compare/ComparePage")),
  },
  { path: "/bots", title: "Bots", component: BotsPage },
  { path: "/bots/:part", title: "Bots", component: BotsPage },
  { path: "/endpoints", title: "Endpoints", component: EndpointsPage },
  { path: "/endpoints/:part", title: "Endpoints", component: EndpointsPage },
  { path: "/setup", title: "Setup", component: lazy(() => import("../setup/SetupPage")) },
  { path: "/setup/:part", title: "Setup", component: lazy(() => import("../setup/SetupPage")) },
  { path: "/system", title: "System", component: lazy(() => import("../system/SystemPage")) },
  {
    path: "/system/connect",
    title: "Connect",
    component: lazy(() => import("../system/ConnectPage")),
  },
];

export interface Found {
  page: Page;
  params: Record<string, string>;
}

export function pageAt(path: string): Found | null {
  for (const page of PAGES) {
    const params = matches(page.path, path);
    if (params) return { page, params };
  }
  return null;
}

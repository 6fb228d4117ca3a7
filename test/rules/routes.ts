import { RequestMethod } from '@nestjs/common';
import { METHOD_METADATA, PATH_METADATA } from '@nestjs/common/constants.js';
import { ModulesContainer } from '@nestjs/core';
import { ACCESS_RULE, type AccessRule } from '../../src/platform/http/caller.js';
import type { World } from '../support/world.js';

export interface Route {
  method: string;
  /** The path: `/api/v1/tasks/:id`. */
  path: string;
  /** Names of the parameters in the path. */
  params: readonly string[];
  /** `TasksController.get` */
  handler: string;
  rule: AccessRule | undefined;
}

/** Every route of the application's controllers. */
export function routesOf({ app }: World): Route[] {
  const routes: Route[] = [];
  for (const module of app.get(ModulesContainer).values()) {
    for (const { metatype } of module.controllers.values()) {
      if (typeof metatype !== 'function') continue;
      const prefix = String(Reflect.getMetadata(PATH_METADATA, metatype) ?? '');
      const methods = Object.getOwnPropertyDescriptors(metatype.prototype as object);
      for (const [name, { value }] of Object.entries(methods)) {
        const handler: unknown = value;
        if (typeof handler !== 'function') continue;
        const method: unknown = Reflect.getMetadata(METHOD_METADATA, handler);
        if (typeof method !== 'number') continue;
        const own = String(Reflect.getMetadata(PATH_METADATA, handler) ?? '');
        routes.push(
          routeOf(
            app.getHttpAdapter().getInstance(),
            RequestMethod[method] ?? 'ALL',
            `/${prefix}/${own}`.replace(/\/+/g, '/').replace(/(.)\/$/, '$1'),
            `${metatype.name}.${name}`,
            (Reflect.getMetadata(ACCESS_RULE, handler) ?? Reflect.getMetadata(ACCESS_RULE, metatype)) as
              AccessRule | undefined,
          ),
        );
      }
    }
  }
  return routes.sort((one, other) => nameOf(one).localeCompare(nameOf(other)));
}

/** `GET /api/v1/tasks/:id` */
export function nameOf({ method, path }: Route): string {
  return `${method} ${path}`;
}

interface Router {
  hasRoute(route: { method: string; url: string }): boolean;
}

/** @throws Error if the server does not know the route: this file reads the controllers wrongly. */
function routeOf(
  router: Router,
  method: string,
  path: string,
  handler: string,
  rule: AccessRule | undefined,
): Route {
  const served = [`/api/v1${path}`, path].find((url) => router.hasRoute({ method, url }));
  if (served === undefined) throw new Error(`${handler} is not served as ${method} ${path}`);
  const params = [...served.matchAll(/:(\w+)/g)].map(([, name]) => name ?? '');
  return { method, path: served, params, handler, rule };
}

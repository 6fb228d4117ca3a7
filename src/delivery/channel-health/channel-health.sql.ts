/*
 * A channel's state is in its row of `channels`: it is down while `down_since` is set. All instants here are
 * PostgreSQL's (`now()`), so that processes with different clocks agree about probes.
 */

/**
 * How many messages a round may admit. `probing` is a running probe: a message until it has any outcome, a connection
 * test until it times out.
 * $1 channel, $2 seconds for which a success proves that the channel works
 */
export const GATE = `
  SELECT c.down_since IS NOT NULL AS down,
         coalesce(c.worked_at > now() - make_interval(secs => $2), false) AS proven,
         CASE WHEN c.probe_is_message THEN EXISTS (
                SELECT FROM deliveries d
                WHERE d.channel = c.channel AND d.state IN ('queued', 'sending') AND d.lease_token = c.probe_token)
              ELSE c.probe_token IS NOT NULL AND c.next_probe_at > now() END AS probing,
         GREATEST(0, extract(epoch FROM c.next_probe_at - now()) * 1000)::double precision AS wait_ms
  FROM channels c WHERE c.channel = $1`;

/**
 * Claims the probe of a channel that is down.
 * $1 channel, $2 token, $3 whether a message is the probe, $4 seconds after which a connection test counts as lost
 */
export const CLAIM_PROBE = `
  UPDATE channels
  SET probe_token = $2, probe_is_message = $3, probed_at = now(),
      next_probe_at = CASE WHEN $3 THEN next_probe_at ELSE now() + make_interval(secs => $4) END
  WHERE channel = $1 AND down_since IS NOT NULL`;

/**
 * Sets the channel down, or records a failed probe. Other failures while it is down come from earlier sends and are
 * ignored. The interval doubles with each failed probe. It resets only if the channel was up for a while, so that a
 * flapping channel is not tried more and more often, or if the provider says when to ask again: then the next probe is
 * due at that time.
 * $1 channel, $2 cause, $3 words, $4 token, $5 whether this alone sets it down, $6 first and $7 longest interval in ms,
 * $8 seconds that it must have been up, $9 how long the provider asks to wait in ms, or null
 */
export const FAILED = `
  WITH found AS (
    SELECT c.*, i.interval_ms FROM channels c
    CROSS JOIN LATERAL (
      SELECT CASE WHEN c.probe_interval_ms IS NULL OR $9::integer IS NOT NULL THEN $6
                  WHEN c.down_since IS NULL AND coalesce(c.up_since < now() - make_interval(secs => $8), true) THEN $6
                  ELSE LEAST(2 * c.probe_interval_ms, $7) END::integer AS interval_ms) i
    WHERE c.channel = $1 FOR UPDATE OF c
  )
  UPDATE channels c
  SET down_since = coalesce(f.down_since, now()), down_cause = $2, down_detail = $3, probe_token = NULL,
      worked_at = NULL, probe_interval_ms = f.interval_ms, probed_at = now(),
      next_probe_at = now()
        + make_interval(secs => GREATEST(f.interval_ms * (0.8 + 0.4 * random()), $9::integer) / 1000.0)
  FROM found f
  WHERE c.channel = f.channel AND ((f.down_since IS NULL AND $5) OR (f.down_since IS NOT NULL AND f.probe_token = $4))
  RETURNING f.down_since IS NULL AS went_down, c.next_probe_at`;

/**
 * Opens the channel after an accepted message or a passed connection test, unless it went down after that began. Writes
 * nothing if the success is already recorded.
 * $1 channel, $2 seconds for which a success is not written again, $3 seconds since it began
 */
export const WORKED = `
  WITH found AS (
    SELECT * FROM channels
    WHERE channel = $1
      AND CASE WHEN down_since IS NULL THEN coalesce(worked_at < now() - make_interval(secs => $2), true)
               ELSE down_since < now() - make_interval(secs => $3) END
    FOR UPDATE
  )
  UPDATE channels c
  SET worked_at = now(), down_since = NULL, down_cause = NULL, down_detail = NULL, next_probe_at = NULL,
      probe_token = NULL, up_since = CASE WHEN f.down_since IS NULL THEN c.up_since ELSE now() END
  FROM found f WHERE c.channel = f.channel
  RETURNING f.down_cause AS was_down_by, extract(epoch FROM now() - f.down_since)::double precision AS was_down_seconds`;

/**
 * Makes the next probe due, but not sooner than some seconds after the last one: repeated requests must not cause
 * repeated logins.
 * $1 channel, $2 these seconds
 */
export const PROBE_NOW = `
  UPDATE channels
  SET next_probe_at = LEAST(next_probe_at, GREATEST(now(), probed_at + make_interval(secs => $2)))
  WHERE channel = $1 AND down_since IS NOT NULL AND probe_token IS NULL`;

/** $1 channels */
export const STATES = `
  SELECT channel, down_since, down_cause, down_detail, CASE WHEN probe_token IS NULL THEN next_probe_at END AS next_probe_at
  FROM channels WHERE channel = ANY ($1::text[])`;

export const PAUSED = `SELECT channel FROM channels WHERE channel = ANY ($1::text[]) AND paused`;

-- A failed generation says "failed".
--
-- What is stored of a request that was refused while its client waited has the
-- HTTP status that he was given, for when it comes again by its key.  It stood
-- in what the API shows as well, as a second "status" beside "failed".

CREATE OR REPLACE FUNCTION atelier.generation_show(g atelier.generation)
RETURNS json
LANGUAGE sql STABLE AS $$
    SELECT CASE g.status
           WHEN 'done' THEN g.result
           WHEN 'queued' THEN
               (SELECT format('{"id":"%s","status":"queued","position":%s,'
                              '"etaSeconds":%s,"channel":"generate:%1$s"}',
                              g.id, place,
                              atelier.generation_eta(place, g.not_before))
                FROM atelier.generation_position(g.turn, g.n) AS place)::json
           WHEN 'running' THEN
               format('{"id":"%s","status":"running",'
                      '"channel":"generate:%1$s"}', g.id)::json
           WHEN 'failed' THEN
               (SELECT format('{"id":"%s","status":"failed"%s}', g.id,
                              string_agg(format(',%s:%s', to_json(key), value),
                                         ''))::json
                FROM json_each(g.result)
                WHERE key NOT IN ('id', 'status'))
           ELSE format('{"id":"%s","status":"cancelled"}', g.id)::json
           END
$$;

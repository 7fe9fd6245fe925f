-- What was booked, where and when, as notify.facts_of tells it.
CREATE OR REPLACE FUNCTION notice_facts(
  p_kind text, p_snapshot jsonb, p_day date, p_starts timestamptz, p_zone text, p_cause text)
RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN jsonb_build_object(
    'benefit', p_kind,
    'offer', jsonb_build_object(
      'zh', coalesce(p_snapshot #>> '{offer,zh}', ''), 'en', coalesce(p_snapshot #>> '{offer,en}', '')),
    'site', coalesce(p_snapshot #>> '{site,name}', ''), 'day', p_day,
    'starts_at', p_starts, 'zone', p_zone, 'cause', p_cause);
END $$;

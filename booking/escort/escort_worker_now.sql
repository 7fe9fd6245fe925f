-- How a worker is called and described now: what an assignment keeps of her (escort_worker_then), since another name may
-- stand under the same code of her provider's later.
CREATE OR REPLACE FUNCTION escort_worker_now(p_worker bigint) RETURNS jsonb LANGUAGE sql STABLE AS $$
  SELECT jsonb_build_object('name', w.shown_name, 'staff_number', coalesce(w.staff_number, ''),
                            'qualification_zh', w.qualification_zh, 'qualification_en', w.qualification_en)
    FROM escort_worker w WHERE w.id = p_worker
$$;

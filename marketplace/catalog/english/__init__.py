"""Chinese places, hospitals and addresses in English: known official names, else pinyin by rule."""

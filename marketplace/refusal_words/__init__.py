"""The words of each refusal, a title and a sentence, by subject; `every` has them all."""
